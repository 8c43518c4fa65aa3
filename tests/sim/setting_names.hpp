// Which settings a simulated namespace has, and what they are at first: as Linux 6.18 has them, but
// that no link gives itself an IPv6 address (addresses.hpp).

#pragma once

#include <array>
#include <climits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace plumbline::sim {

struct Named {
  std::string_view name;
  std::string_view value;
};

inline constexpr std::array global_settings{
    Named{"net/ipv4/ip_forward", "0"},
    Named{"net/ipv4/ip_default_ttl", "64"},
    Named{"net/ipv4/ip_nonlocal_bind", "0"},
    Named{"net/ipv4/fwmark_reflect", "0"},
    Named{"net/ipv4/icmp_echo_ignore_all", "0"},
    Named{"net/ipv4/icmp_echo_ignore_broadcasts", "1"},
    Named{"net/ipv4/tcp_syncookies", "1"},
    Named{"net/ipv4/tcp_keepalive_time", "7200"},
    Named{"net/ipv4/tcp_fin_timeout", "60"},
    Named{"net/ipv6/bindv6only", "0"},
    Named{"net/ipv6/ip_nonlocal_bind", "0"},
    Named{"net/core/somaxconn", "4096"},
    Named{"net/bridge/bridge-nf-call-iptables", "0"},
    Named{"net/bridge/bridge-nf-call-ip6tables", "0"},
    Named{"net/bridge/bridge-nf-call-arptables", "0"},
};

/// In the order of IPV4_DEVCONF_… (include/uapi/linux/ip.h).
inline constexpr std::array inet_conf{
    Named{"forwarding", "0"},
    Named{"mc_forwarding", "0"},
    Named{"proxy_arp", "0"},
    Named{"accept_redirects", "1"},
    Named{"secure_redirects", "1"},
    Named{"send_redirects", "1"},
    Named{"shared_media", "1"},
    Named{"rp_filter", "0"},
    Named{"accept_source_route", "1"},
    Named{"bootp_relay", "0"},
    Named{"log_martians", "0"},
    Named{"tag", "0"},
    Named{"arp_filter", "0"},
    Named{"medium_id", "0"},
    Named{"disable_xfrm", "0"},
    Named{"disable_policy", "0"},
    Named{"force_igmp_version", "0"},
    Named{"arp_announce", "0"},
    Named{"arp_ignore", "0"},
    Named{"promote_secondaries", "0"},
    Named{"arp_accept", "0"},
    Named{"arp_notify", "0"},
    Named{"accept_local", "0"},
    Named{"src_valid_mark", "0"},
    Named{"proxy_arp_pvlan", "0"},
    Named{"route_localnet", "0"},
    Named{"igmpv2_unsolicited_report_interval", "10000"},
    Named{"igmpv3_unsolicited_report_interval", "1000"},
    Named{"ignore_routes_with_linkdown", "0"},
    Named{"drop_unicast_in_l2_multicast", "0"},
    Named{"drop_gratuitous_arp", "0"},
    Named{"bc_forwarding", "0"},
    Named{"arp_evict_nocarrier", "1"},
};

inline constexpr auto inet_conf_order = [] {
  std::array<std::string_view, inet_conf.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = inet_conf[i].name;
  return names;
}();

inline constexpr std::array inet6_conf{
    Named{"forwarding", "0"},
    Named{"hop_limit", "64"},
    Named{"mtu", "1280"},
    Named{"accept_ra", "1"},
    Named{"accept_ra_defrtr", "1"},
    Named{"accept_ra_pinfo", "1"},
    Named{"accept_redirects", "1"},
    Named{"accept_source_route", "0"},
    Named{"accept_dad", "1"},
    Named{"addr_gen_mode", "1"},
    Named{"autoconf", "1"},
    Named{"dad_transmits", "1"},
    Named{"disable_ipv6", "0"},
    Named{"disable_policy", "0"},
    Named{"drop_unicast_in_l2_multicast", "0"},
    Named{"ignore_routes_with_linkdown", "0"},
    Named{"keep_addr_on_down", "0"},
    Named{"mc_forwarding", "0"},
    Named{"proxy_ndp", "0"},
    Named{"router_solicitations", "-1"},
    Named{"suppress_frag_ndisc", "1"},
    Named{"use_tempaddr", "0"},
};

inline constexpr std::array neigh{
    Named{"app_solicit", "0"}, Named{"gc_stale_time", "60"}, Named{"mcast_solicit", "3"},
    Named{"proxy_qlen", "64"}, Named{"ucast_solicit", "3"},
};

/// Settings that each link has, by their place between `net/` and the link.
[[nodiscard]] inline std::map<std::string, std::span<const Named>> link_settings() {
  return {{"ipv4/conf", inet_conf},
          {"ipv4/neigh", neigh},
          {"ipv6/conf", inet6_conf},
          {"ipv6/neigh", neigh}};
}

using Bounds = std::pair<long long, long long>;

/// What the kernel refuses beyond what is no number.
[[nodiscard]] inline std::optional<Bounds> bounds_of(std::string_view group,
                                                     std::string_view name) {
  if (group == "ipv6/conf" && name == "addr_gen_mode") return Bounds{0, 3};
  if (group == "ipv6/conf" && name == "hop_limit") return Bounds{1, 255};
  if (group.ends_with("/neigh")) return Bounds{0, INT_MAX};
  return std::nullopt;
}
[[nodiscard]] inline std::optional<Bounds> bounds_of(std::string_view path) {
  if (path == "net/ipv4/ip_default_ttl") return Bounds{1, 255};
  if (path == "net/ipv4/tcp_syncookies") return Bounds{0, 2};
  return std::nullopt;
}

/// One variable may have two names (devinet_sysctl in net/ipv4/devinet.c).
[[nodiscard]] inline std::string canonical(const std::string& path) {
  return path == "net/ipv4/conf/all/forwarding" ? "net/ipv4/ip_forward" : path;
}

}  // namespace plumbline::sim
