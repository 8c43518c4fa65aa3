// Everything that one simulated network namespace holds, as values: who changes it is elsewhere.
//
// Lists are in the order in which Linux dumps them, so that a dump is a walk.

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plumbline/base/ip.hpp"
#include "plumbline/base/mac.hpp"
#include "plumbline/wire/request.hpp"
#include "tests/sim/nftables.hpp"

namespace plumbline::sim {

// ---- links --------------------------------------------------------------------------------------

/// IFLA_INFO_DATA of a bridge, as far as it is modelled.
struct Bridge {
  bool stp = false;
  std::uint32_t forward_delay = 1500;  ///< hundredths of a second, as all of its times
  std::uint32_t ageing_time = 30000;
  bool vlan_filtering = false;
  bool multicast_snooping = true;
  bool no_linklocal_learn = false;
  bool own_mtu = false;  ///< it was given one, and follows its ports no more
};

struct Port {
  bool isolated = false;
  bool learning = true;
  bool hairpin = false;
  std::uint32_t cost = 100;
  std::uint16_t priority = 32;
  std::uint16_t group_fwd_mask = 0;
};

struct Tun {
  std::optional<std::uint32_t> owner;
  std::optional<std::uint32_t> group;
  bool multi_queue = false;
  bool vnet_header = false;
  bool held = false;  ///< by a program
};

struct Vxlan {
  std::uint32_t id = 0;
  std::optional<IpAddress> local;
  std::optional<IpAddress> remote;
  std::uint16_t port = 8472;
  int lower = 0;  ///< the link that its packets leave through
  bool learning = true;
  bool ipv6 = false;
};

/// An address of a link, of either family.
struct Address {
  IpAddress local;
  IpAddress peer;  ///< IFA_ADDRESS: `local` where there is none
  std::uint8_t length = 0;
  std::uint8_t scope = 0;
  std::uint32_t flags = 0;
  std::uint8_t protocol = 0;
  std::uint32_t metric = 0;
  std::optional<IpAddress> broadcast;
  std::string label;
  std::uint32_t preferred = UINT32_MAX;
  std::uint32_t valid = UINT32_MAX;
  bool lost_route = false;  ///< IPv6: kept while its link is down, which its local route is not

  [[nodiscard]] Prefix network() const { return Prefix::masking(peer, length); }
};

/// One that stays, or a proxy.
struct Neighbour {
  IpAddress to;
  bool proxy = false;
  std::uint8_t flags = 0;  ///< NTF_…
  std::optional<Mac> mac;
  std::uint8_t protocol = 0;
};

struct Device {
  int index = 0;
  std::string name;
  std::string kind;  ///< IFLA_INFO_KIND; empty: none, as of `lo`
  unsigned flags = 0;
  std::uint32_t mtu = 1500;
  std::uint32_t least_mtu = 68;
  std::uint32_t most_mtu = 65535;
  Mac mac;
  bool chose_mac = false;  ///< NET_ADDR_SET: somebody gave it that MAC
  std::uint32_t tx_queue_length = 1000;
  std::uint32_t group = 0;
  std::string alias;
  std::vector<std::string> altnames;
  int master = 0;
  int peer = 0;  ///< the other end of a veth pair
  bool carrier = true;
  std::optional<Bridge> bridge;
  std::optional<Port> port;
  std::optional<Tun> tun;
  std::optional<Vxlan> vxlan;

  std::vector<Neighbour> neighbours;
  std::vector<Address> inet;   ///< primaries first
  std::vector<Address> inet6;  ///< none while `has_inet6` is false
  bool has_inet6 = true;       ///< IPv6 is taken from links whose MTU is too small for it
  /// Of the settings of its own below net/, `ipv4/conf/NAME` for instance, by their name.
  std::map<std::string, std::map<std::string, std::string>> settings;
  /// Those that somebody wrote, or that an address froze: `default` moves them no more.
  std::map<std::string, std::map<std::string, bool>> settled;

  [[nodiscard]] bool is(unsigned flag) const { return (flags & flag) != 0; }
};

// ---- routes and rules ---------------------------------------------------------------------------

struct Nexthop {
  int device = 0;
  std::optional<IpAddress> gateway;
  std::uint8_t hops = 0;   ///< the weight, less one
  std::uint8_t flags = 0;  ///< RTNH_F_…
  std::uint8_t scope = 0;  ///< IPv4: of the way to it, RT_SCOPE_…

  bool operator==(const Nexthop&) const = default;
};

struct Route {
  std::uint32_t table = 0;
  Prefix to;
  std::uint8_t tos = 0;
  std::uint8_t type = 0;
  std::uint8_t protocol = 0;
  std::uint8_t scope = 0;
  std::uint32_t metric = 0;
  std::optional<IpAddress> source;
  std::map<std::uint16_t, std::uint32_t> metrics;  ///< RTAX_…
  std::vector<Nexthop> nexthops;
  bool sibling = false;  ///< IPv6: a way of the route before it, and dumped with it

  bool operator==(const Route&) const = default;
};

struct Rule {
  std::uint32_t priority = 0;
  std::uint8_t action = 0;
  std::uint32_t flags = 0;
  std::uint8_t tos = 0;
  std::uint32_t table = 0;
  std::uint32_t target = 0;  ///< of a goto
  std::optional<Prefix> from;
  std::optional<Prefix> to;
  std::string iif;
  std::string oif;
  int iif_index = 0;  ///< of the link that it was found to be; 0: none
  int oif_index = 0;
  std::uint32_t mark = 0;
  std::uint32_t mask = 0;
  std::uint8_t protocol = 0;
  std::uint8_t ip_protocol = 0;
  std::optional<std::array<std::uint16_t, 2>> source_ports;
  std::optional<std::array<std::uint16_t, 2>> destination_ports;
  std::optional<std::array<std::uint32_t, 2>> uids;
  std::uint32_t suppress_length = UINT32_MAX;
  std::uint32_t suppress_group = UINT32_MAX;

  bool operator==(const Rule&) const = default;
};

/// Routes and policy rules of one family.
struct Routing {
  std::set<std::uint32_t> tables;  ///< that there ever was a route or a rule for
  std::vector<Route> routes;
  std::vector<Rule> rules;
  bool custom_rules = false;  ///< somebody has added or removed one
};

// ---- all of it ----------------------------------------------------------------------------------

struct Namespace {
  std::map<int, Device> devices;  ///< by index, as they are dumped
  int last_index = 0;
  Routing inet;
  Routing inet6;
  std::map<std::string, std::string> settings;  ///< below /proc/sys, those of links left out
  /// What new links have as Device::settled: what somebody wrote to `default`.
  std::map<std::string, std::map<std::string, bool>> settled;
  NfTables nf_tables;
  /// A MAC for a link that nobody gave one.
  std::function<Mac(const std::string& name)> new_mac;

  [[nodiscard]] Routing& routing(Family family) { return family == Family::inet ? inet : inet6; }
  [[nodiscard]] const Routing& routing(Family family) const {
    return family == Family::inet ? inet : inet6;
  }
  [[nodiscard]] Device* device(int index) {
    const auto found = devices.find(index);
    return found == devices.end() ? nullptr : &found->second;
  }
  /// By its name or one of its alternative ones.
  [[nodiscard]] Device* device(const std::string& name);
};

}  // namespace plumbline::sim
