// A VM host's network: what an entry of `networks` says, and what it is once every guest has its
// address, MAC and TAP.
//
// Only values. decode() makes a Network of the text, assign() (assignments.hpp) fills it up,
// expand() (expand.hpp) makes links, routes, rules and chains of it.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/base/diagnostics.hpp"
#include "plumbline/base/if_name.hpp"
#include "plumbline/base/ip.hpp"
#include "plumbline/base/mac.hpp"
#include "plumbline/base/table.hpp"
#include "plumbline/kinds/wireguard.hpp"

namespace plumbline::spec {

// ---- firewall -----------------------------------------------------------------------------------

enum class PolicyAction : std::uint8_t { allow, deny };
enum class PolicyProtocol : std::uint8_t { all, tcp, udp, icmp };

/// `all`, `tcp`, `udp`, `icmp`
[[nodiscard]] std::string_view format(PolicyProtocol protocol);

/// Both ends included; one port is a range of one. 1..65535.
struct PortRange {
  std::uint16_t first = 1;
  std::uint16_t last = 1;

  auto operator<=>(const PortRange&) const = default;
};

struct PolicyRule {
  PolicyAction action = PolicyAction::deny;
  /// `to`, or `from` of an ingress rule. IPv4; nothing is anywhere.
  std::optional<Prefix> peer;
  PolicyProtocol protocol = PolicyProtocol::all;
  std::vector<PortRange> ports;  ///< of tcp and udp only; none is every port. As in the spec
  std::string comment;           ///< at most 200 bytes of UTF-8
  Origin origin;

  bool operator==(const PolicyRule&) const = default;
};

struct Policy {
  PolicyAction default_action = PolicyAction::allow;
  std::vector<PolicyRule> rules;
  Origin origin;

  bool operator==(const Policy&) const = default;
};

/// What ends an allowed packet's way through our chains: `"ACCEPT"`, or `"RETURN"`, which leaves
/// the decision to the administrator's later rules.
enum class AllowTarget : std::uint8_t { accept, leave };

struct NetworkFirewall {
  /// Nothing is not given. The defaults that depend on each other are filled in: an ingress policy
  /// without a `defaultAction` denies when there is an egress policy.
  std::optional<Policy> egress;
  std::optional<Policy> ingress;
  std::optional<Policy> host;
  AllowTarget allow_target = AllowTarget::accept;  ///< of `egress`

  bool operator==(const NetworkFirewall&) const = default;
};

// ---- wireguard ----------------------------------------------------------------------------------

/// Text in the style of wg-quick(8), and where it is. It has keys in it: never shown.
struct TunnelText {
  std::string text;
  std::string path;  ///< of `configFile`; empty when the text is in the spec
  Origin origin;     ///< of the member of the spec

  bool operator==(const TunnelText&) const = default;
};

/// What such a text says.
struct TunnelConfig {
  WireGuard device;                         ///< without a name
  std::vector<InterfaceAddress> addresses;  ///< as given: at least one of IPv4, each once
  std::optional<std::uint32_t> mtu;         ///< 576..9000

  bool operator==(const TunnelConfig&) const = default;
};

struct NetworkTunnel {
  /// The tunnel's interface: of `existingInterface`, or the managed one's `interfaceName`.
  IfName interface;
  /// Of a managed tunnel, with what it says; nothing for `existingInterface`.
  std::optional<TunnelText> config;
  std::optional<TunnelConfig> settings;
  TableId route_table{51820};
  bool route_all_vm_traffic = true;
  bool fail_closed = true;
  Origin origin;            ///< of `wireguard`
  Origin interface_origin;  ///< of the name, or of `wireguard` where it is the default

  [[nodiscard]] bool managed() const { return config.has_value(); }
  bool operator==(const NetworkTunnel&) const = default;
};

// ---- vms ----------------------------------------------------------------------------------------

/// A value that somebody gave, and where.
template <class T>
struct Given {
  T value;
  Origin origin;

  bool operator==(const Given&) const = default;
};

struct GuestInterface {
  std::string id;
  std::optional<Given<IpAddress>> ip;
  std::optional<Given<Mac>> mac;
  std::optional<Given<IfName>> tap;
  std::optional<std::uint32_t> owner;
  std::optional<std::uint32_t> group;
  /// The interface's name within the guest: given, or `eth<n>` of the n-th of its VM.
  std::string guest_interface;
  Origin origin;

  bool operator==(const GuestInterface&) const = default;
};

struct Guest {
  std::string id;
  std::vector<GuestInterface> interfaces;  ///< in the order of the spec
  Origin origin;

  bool operator==(const Guest&) const = default;
};

// ---- the whole ----------------------------------------------------------------------------------

enum class GuestIpv6 : std::uint8_t { block, ignore };
/// Where guests' traffic to the host's other networks goes while they are routed into a tunnel.
enum class LocalNetworks : std::uint8_t { tunnel, direct };

struct Network {
  IfName bridge;  ///< its name is the network's
  Prefix subnet;  ///< IPv4, /1 to /30
  /// Of the bridge; nothing is one made of its name.
  std::optional<Given<Mac>> mac;
  /// `"auto"` is nothing: the interfaces of all default routes.
  std::optional<IfName> uplink;
  bool nat = true;
  NetworkFirewall firewall;
  std::optional<NetworkTunnel> wireguard;
  LocalNetworks local_networks = LocalNetworks::tunnel;
  /// Of the first policy rule; the others have the numbers behind it.
  std::uint32_t rule_priority = 31820;
  bool isolation = false;
  bool anti_spoofing = true;
  GuestIpv6 ipv6 = GuestIpv6::block;
  std::vector<Guest> vms;  ///< in the order of the spec

  Origin origin;
  Origin subnet_origin;  ///< that of the entry where it is the default
  Origin uplink_origin;

  bool operator==(const Network&) const = default;
};

/// The first host address of a subnet.
[[nodiscard]] IpAddress gateway_of(const Prefix& subnet);
/// `255.255.255.0`
[[nodiscard]] IpAddress netmask_of(const Prefix& subnet);

// ---- assigned -----------------------------------------------------------------------------------

/// A guest's interface with nothing left open.
struct AssignedInterface {
  std::string vm;
  std::string interface;
  IfName tap;
  IpAddress ip;
  Mac mac;  ///< the guest's, not that of the TAP
  std::string guest_interface;
  std::optional<std::uint32_t> owner;
  std::optional<std::uint32_t> group;
  /// It had another address, MAC or TAP, which an explicit value or another subnet took from it.
  bool reassigned = false;
  Origin origin;

  bool operator==(const AssignedInterface&) const = default;
};

struct AssignedNetwork {
  Network network;
  IpAddress gateway;
  /// In the order of the spec.
  std::vector<AssignedInterface> interfaces;
  /// Where it leaves without a tunnel: `uplink`, or those of all default routes, sorted; may be
  /// none.
  std::vector<IfName> uplinks;
  /// The bridge's, where it was adopted and the spec gives none: its guests know it.
  std::optional<Mac> kept_mac;

  bool operator==(const AssignedNetwork&) const = default;
};

}  // namespace plumbline::spec
