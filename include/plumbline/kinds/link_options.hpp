// What links of one kind have besides what every link has. The names are those of ip-link(8).
//
// Wanted side: what is not set is not managed. Observed side: all set, but where nothing means
// none.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "plumbline/base/if_name.hpp"
#include "plumbline/base/ip.hpp"

namespace plumbline {

/// ip-link(8), "bridge". Times are hundredths of a second, as the kernel counts them (USER_HZ).
struct BridgeOptions {
  std::optional<bool> stp;
  std::optional<std::uint32_t> forward_delay;  ///< 0, or 200..3000; 0 only while stp is off
  std::optional<std::uint32_t> ageing_time;
  std::optional<bool> vlan_filtering;
  std::optional<bool> multicast_snooping;
  std::optional<bool> no_linklocal_learn;

  bool operator==(const BridgeOptions&) const = default;
};

/// `multi_queue` and `vnet_header` apply at creation and are never compared: whoever attaches to
/// the TAP decides them (drivers/net/tun.c, tun_set_iff()).
struct TapOptions {
  std::optional<std::uint32_t> owner;
  std::optional<std::uint32_t> group;
  std::optional<bool> multi_queue;
  std::optional<bool> vnet_header;

  bool operator==(const TapOptions&) const = default;
};

struct VethOptions {
  /// Nothing on the observed side when the peer is in another network namespace.
  std::optional<IfName> peer;
  /// Where the peer is made, a name below /run/netns or an absolute path; never observed. Which
  /// namespace the peer is in later is its owner's business, and not compared.
  std::optional<std::string> peer_netns = {};

  bool operator==(const VethOptions&) const = default;
};

/// ip-link(8), "vxlan". Only `local`, `remote` and `learning` can be changed.
struct VxlanOptions {
  std::optional<std::uint32_t> id;
  std::optional<IpAddress> local;
  std::optional<IpAddress> remote;
  std::optional<std::uint16_t> port;
  /// The link its packets leave through, and which it goes with.
  std::optional<IfName> device;
  std::optional<bool> learning;

  bool operator==(const VxlanOptions&) const = default;
};

/// What ip-link(8) and the kernel take for a VXLAN that is given no port: older than 4789, IANA's.
inline constexpr std::uint16_t default_vxlan_port = 8472;

/// Frames that the kernel never forwards: BR_GROUPFWD_MACPAUSE in net/bridge/br_private.h.
inline constexpr std::uint16_t mac_pause = 2;

/// bridge(8), "bridge link set". Reset by the kernel whenever the link joins a bridge.
struct PortSettings {
  std::optional<bool> isolated;
  std::optional<bool> learning;
  std::optional<bool> hairpin;
  std::optional<std::uint32_t> cost;      ///< 1..65535
  std::optional<std::uint16_t> priority;  ///< 0..63
  /// Which of the frames to 01:80:c2:00:00:0X the bridge forwards as any other, instead of handing
  /// them on as the port's own: bit X of each. 0..65535 without `mac_pause`.
  std::optional<std::uint16_t> group_fwd_mask;

  bool operator==(const PortSettings&) const = default;
};

}  // namespace plumbline
