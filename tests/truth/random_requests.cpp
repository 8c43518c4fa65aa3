#include "tests/truth/random_requests.hpp"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace plumbline::sim {

namespace {

using wire::MessageBuilder;

wire::Request change(MessageBuilder message) {
  return wire::NetlinkChange{std::move(message).finish()};
}

IpAddress address(const char* text) { return *IpAddress::parse(text); }

IpAddress random_host(Chance& chance, Family family) {
  if (family == Family::inet) {
    return address(chance.pick({"10.1.0.1", "10.1.0.2", "10.1.0.254", "10.2.0.1", "10.2.0.254",
                                "10.1.1.1", "192.0.2.1", "127.0.0.1", "0.0.0.0"}));
  }
  return address(chance.pick({"fd01::1", "fd01::2", "fd01::fe", "fd02::1", "fd02::fe", "fe80::5",
                              "2001:db8::1", "::1", "::", "ff02::5"}));
}

Prefix random_network(Chance& chance, Family family) {
  if (family == Family::inet) {
    return *Prefix::parse(chance.pick({"0.0.0.0/0", "10.1.0.0/24", "10.9.0.0/24", "10.9.0.0/16",
                                       "10.9.0.7/32", "192.0.2.0/24", "10.2.0.0/24"}));
  }
  return *Prefix::parse(chance.pick({"::/0", "fd01::/64", "fd09::/64", "fd09::/48", "fd09::7/128",
                                     "2001:db8::/32", "fd02::/64"}));
}

std::uint16_t random_flags(Chance& chance) {
  return chance.pick<std::uint16_t>(
      {NLM_F_CREATE | NLM_F_EXCL, NLM_F_CREATE | NLM_F_EXCL, NLM_F_CREATE | NLM_F_EXCL,
       NLM_F_CREATE, NLM_F_CREATE | NLM_F_APPEND, NLM_F_REPLACE, NLM_F_CREATE | NLM_F_REPLACE, 0});
}

void put_gateway(MessageBuilder& message, Chance& chance, Family family) {
  IpAddress gateway = random_host(chance, family);
  if (gateway == address("::1")) gateway = address("fd01::7");
  message.address(RTA_GATEWAY, gateway);
}

void put_ways(MessageBuilder& message, const Namespace& there, Chance& chance, Family family) {
  message.nest(RTA_MULTIPATH, [&](MessageBuilder& nest) {
    for (std::size_t ways = 1 + chance.below(3); ways > 0; --ways) {
      const std::size_t start = nest.size();
      rtnexthop header{};
      header.rtnh_flags = chance.one_in(6) ? RTNH_F_ONLINK : 0;
      header.rtnh_hops = static_cast<unsigned char>(chance.below(3));
      header.rtnh_ifindex = chance.one_in(3) ? 0 : random_index(there, chance);
      nest.append(&header, sizeof header);
      if (!chance.one_in(5)) put_gateway(nest, chance, family);
      header.rtnh_len = static_cast<unsigned short>(nest.size() - start);
      std::memcpy(nest.written().data() + start, &header, sizeof header);
    }
  });
}

/// A message that names a route that is there.
wire::Request about_present(const Route& route, Chance& chance) {
  rtmsg header{};
  header.rtm_family = address_family(route.to.family());
  header.rtm_dst_len = route.to.length();
  header.rtm_tos = route.tos;
  header.rtm_protocol = chance.one_in(3) ? std::uint8_t{0} : route.protocol;
  header.rtm_scope = chance.one_in(3) ? std::uint8_t{RT_SCOPE_NOWHERE} : route.scope;
  header.rtm_type = chance.one_in(3) ? std::uint8_t{0} : route.type;
  MessageBuilder message(RTM_DELROUTE, 0);
  message.header(header).u32(RTA_TABLE, route.table);
  if (route.to.length() != 0) message.address(RTA_DST, route.to.address());
  if (!chance.one_in(3)) message.u32(RTA_PRIORITY, route.metric);
  if (route.nexthops.size() == 1 && chance.one_in(2)) {
    const Nexthop& way = route.nexthops.front();
    if (way.device != 0) message.u32(RTA_OIF, static_cast<std::uint32_t>(way.device));
    if (way.gateway && way.gateway->family() == route.to.family() && chance.one_in(2)) {
      message.address(RTA_GATEWAY, *way.gateway);
    }
  }
  return change(std::move(message));
}

}  // namespace

int random_index(const Namespace& there, Chance& chance) {
  if (chance.one_in(15)) return chance.pick({77, 99});
  std::vector<int> indexes;
  for (const auto& [index, device] : there.devices) indexes.push_back(index);
  return chance.pick(indexes);
}

wire::Request random_address_request(const Namespace& there, Chance& chance) {
  const Family family = chance.one_in(3) ? Family::inet6 : Family::inet;
  const bool inet = family == Family::inet;
  const bool removes = chance.one_in(3);
  ifaddrmsg header{};
  header.ifa_family = address_family(family);
  header.ifa_prefixlen = inet ? chance.pick<std::uint8_t>({24, 24, 24, 24, 16, 32, 31, 33})
                              : chance.pick<std::uint8_t>({64, 64, 64, 48, 128, 129});
  header.ifa_index = static_cast<std::uint32_t>(random_index(there, chance));
  header.ifa_scope = chance.pick<std::uint8_t>({0, 0, 0, 0, RT_SCOPE_LINK, RT_SCOPE_HOST});
  IpAddress local = random_host(chance, family);
  if (removes && !chance.one_in(4)) {
    const auto found = there.devices.find(static_cast<int>(header.ifa_index));
    if (found != there.devices.end()) {
      const auto& list = inet ? found->second.inet : found->second.inet6;
      if (!list.empty()) {
        const Address& present = chance.pick(list);
        local = present.local;
        header.ifa_prefixlen = present.length;
      }
    }
  }
  MessageBuilder message(removes ? RTM_DELADDR : RTM_NEWADDR,
                         removes ? std::uint16_t{0} : random_flags(chance));
  message.header(header);
  if (!chance.one_in(30)) message.address(IFA_LOCAL, local);
  if (!chance.one_in(4)) {
    message.address(IFA_ADDRESS, chance.one_in(8) ? random_host(chance, family) : local);
  }
  if (!removes) {
    if (chance.one_in(2)) message.u8(IFA_PROTO, chance.pick<std::uint8_t>({0, 50, 112}));
    if (chance.one_in(6)) message.u32(IFA_FLAGS, IFA_F_NOPREFIXROUTE);
    if (chance.one_in(6)) message.u32(IFA_RT_PRIORITY, chance.pick<std::uint32_t>({5, 500}));
    if (inet && chance.one_in(5)) message.address(IFA_BROADCAST, address("10.1.0.255"));
    if (inet && chance.one_in(8)) message.string(IFA_LABEL, "lbl");
  }
  return change(std::move(message));
}

wire::Request random_route_request(const Namespace& there, Chance& chance) {
  const Family family = chance.one_in(3) ? Family::inet6 : Family::inet;
  const auto& routes = there.routing(family).routes;
  const bool removes = chance.one_in(4);
  if (removes && !routes.empty() && !chance.one_in(4)) {
    const Route& present = chance.pick(routes);
    // Those come when a link is ready, which the kernel finds out in its own time.
    if (present.type != RTN_MULTICAST) return about_present(present, chance);
  }
  const Prefix to = random_network(chance, family);
  rtmsg header{};
  header.rtm_family = address_family(family);
  header.rtm_dst_len = to.length();
  if (family == Family::inet && chance.one_in(10))
    header.rtm_tos = chance.pick<std::uint8_t>({4, 8, 1});
  header.rtm_protocol = chance.pick<std::uint8_t>({112, 112, 3, 4, 0});
  header.rtm_type = chance.pick<std::uint8_t>({RTN_UNICAST, RTN_UNICAST, RTN_UNICAST, RTN_UNICAST,
                                               RTN_UNICAST, RTN_BLACKHOLE, RTN_UNREACHABLE,
                                               RTN_PROHIBIT, RTN_THROW, RTN_LOCAL});
  const bool dead_end = header.rtm_type != RTN_UNICAST && header.rtm_type != RTN_LOCAL;
  const bool several = !dead_end && chance.one_in(5);
  const bool has_gateway = !several && (dead_end ? chance.one_in(20) : !chance.one_in(3));
  header.rtm_scope = header.rtm_type == RTN_LOCAL         ? std::uint8_t{RT_SCOPE_HOST}
                     : has_gateway || several || dead_end ? std::uint8_t{RT_SCOPE_UNIVERSE}
                                                          : std::uint8_t{RT_SCOPE_LINK};
  if (chance.one_in(10)) {
    header.rtm_scope = chance.pick<std::uint8_t>({RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_SCOPE_HOST});
  }
  if (has_gateway && !dead_end && chance.one_in(6)) header.rtm_flags = RTNH_F_ONLINK;
  MessageBuilder message(removes ? RTM_DELROUTE : RTM_NEWROUTE,
                         removes ? std::uint16_t{0} : random_flags(chance));
  message.header(header);
  if (to.length() != 0) {
    message.address(RTA_DST, chance.one_in(30) ? random_host(chance, family) : to.address());
  }
  // For IPv6 no table at all is another question than the main one.
  const std::uint32_t unsaid = family == Family::inet ? 0 : 254;
  message.u32(RTA_TABLE, chance.pick<std::uint32_t>({254, 254, 254, 100, 1000, unsaid}));
  if (!chance.one_in(3)) message.u32(RTA_PRIORITY, chance.pick<std::uint32_t>({0, 10, 1024}));
  if (chance.one_in(6)) message.address(RTA_PREFSRC, random_host(chance, family));
  if (chance.one_in(8)) {
    message.nest(RTA_METRICS, [&](MessageBuilder& nest) {
      nest.u32(RTAX_MTU, chance.pick<std::uint32_t>({1400, 1300}));
    });
  }
  if (several) {
    put_ways(message, there, chance, family);
    return change(std::move(message));
  }
  if (has_gateway) {
    if (family == Family::inet && chance.one_in(10)) {
      wire::Bytes via(2);
      const std::uint16_t other = AF_INET6;
      std::memcpy(via.data(), &other, sizeof other);
      const IpAddress gateway = random_host(chance, Family::inet6);
      via.insert(via.end(), gateway.bytes().begin(), gateway.bytes().end());
      message.bytes(RTA_VIA, via);
    } else {
      put_gateway(message, chance, family);
    }
  }
  const bool has_device = dead_end ? chance.one_in(20) : !has_gateway || chance.one_in(2);
  if (has_device) message.u32(RTA_OIF, static_cast<std::uint32_t>(random_index(there, chance)));
  return change(std::move(message));
}

wire::Request random_rule_request(Chance& chance) {
  const Family family = chance.one_in(3) ? Family::inet6 : Family::inet;
  const bool removes = chance.one_in(2);
  fib_rule_hdr header{};
  header.family = chance.one_in(40) ? std::uint8_t{9} : address_family(family);
  header.action = chance.pick<std::uint8_t>({FR_ACT_TO_TBL, FR_ACT_TO_TBL, FR_ACT_TO_TBL,
                                             FR_ACT_GOTO, FR_ACT_UNREACHABLE, FR_ACT_BLACKHOLE,
                                             FR_ACT_PROHIBIT, FR_ACT_NOP});
  if (removes && chance.one_in(2)) header.action = FR_ACT_UNSPEC;
  if (chance.one_in(10)) header.flags = FIB_RULE_INVERT;
  if (chance.one_in(10)) header.tos = chance.pick<std::uint8_t>({4, 8, 1});
  const Prefix from = random_network(chance, family);
  const bool has_from = chance.one_in(3);
  if (has_from) header.src_len = from.length();
  MessageBuilder message(
      removes ? RTM_DELRULE : RTM_NEWRULE,
      removes ? std::uint16_t{0}
              : chance.pick<std::uint16_t>({NLM_F_CREATE, NLM_F_CREATE | NLM_F_EXCL}));
  message.header(header);
  // What IPv6 finds without the rule for its local addresses is not modelled.
  const bool spares_the_first = removes && family == Family::inet6;
  if (spares_the_first) {
    message.u32(FRA_PRIORITY, chance.pick<std::uint32_t>({100, 200, 300}));
  } else if (!chance.one_in(6)) {
    message.u32(FRA_PRIORITY, chance.pick<std::uint32_t>({100, 200, 300, 0}));
  }
  if (!chance.one_in(4)) message.u8(FRA_PROTOCOL, chance.pick<std::uint8_t>({112, 50}));
  if (has_from && !chance.one_in(20)) message.address(FRA_SRC, from.address());
  if (chance.one_in(6)) message.string(FRA_IIFNAME, chance.pick({"v0", "lo", "none0"}));
  if (chance.one_in(8)) message.string(FRA_OIFNAME, chance.pick({"v1", "br0"}));
  if (chance.one_in(4)) message.u32(FRA_FWMARK, chance.pick<std::uint32_t>({0, 7}));
  if (chance.one_in(8)) message.u32(FRA_FWMASK, chance.pick<std::uint32_t>({0xff, 0}));
  if (chance.one_in(10)) message.u8(FRA_IP_PROTO, 6);
  if (chance.one_in(8)) {
    const fib_rule_port_range ports{chance.pick<std::uint16_t>({80, 90}), 90};
    message.bytes(FRA_DPORT_RANGE, std::as_bytes(std::span(&ports, 1)));
  }
  if (chance.one_in(10)) {
    const fib_rule_uid_range uids{0, chance.pick<std::uint32_t>({0, 1000})};
    message.bytes(FRA_UID_RANGE, std::as_bytes(std::span(&uids, 1)));
  }
  if (header.action == FR_ACT_TO_TBL && !chance.one_in(12)) {
    message.u32(FRA_TABLE, chance.pick<std::uint32_t>({254, 100, 1000}));
  }
  if (header.action == FR_ACT_GOTO || chance.one_in(30)) {
    message.u32(FRA_GOTO, chance.pick<std::uint32_t>({50, 250, 300, 32766}));
  }
  if (chance.one_in(10)) message.u32(FRA_SUPPRESS_PREFIXLEN, chance.pick<std::uint32_t>({0, 24}));
  return change(std::move(message));
}

wire::Request random_setting_request(const Namespace& there, Chance& chance) {
  if (chance.one_in(6)) {
    const std::string path =
        chance.pick({"net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding", "net/ipv4/none",
                     "net/ipv4/ip_default_ttl", "net/ipv4/tcp_syncookies"});
    return wire::SysctlWrite{path, chance.pick({"0", "1", "0", "1", "x", "300", ""})};
  }
  std::vector<std::string> links{"all", "default", "none0"};
  for (const auto& [index, device] : there.devices) links.push_back(device.name);
  const bool inet = chance.one_in(2);
  const std::string name = inet ? chance.pick({"rp_filter", "proxy_arp", "forwarding",
                                               "promote_secondaries", "arp_ignore", "none"})
                                : chance.pick({"forwarding", "disable_ipv6", "accept_ra",
                                               "keep_addr_on_down", "hop_limit", "none"});
  const std::string value = chance.pick({"0", "1", "0", "1", "2", "x", " 1 ", "0x1"});
  return wire::SysctlWrite{
      std::string("net/") + (inet ? "ipv4" : "ipv6") + "/conf/" + chance.pick(links) + "/" + name,
      value};
}

wire::Request random_request(const Namespace& there, Chance& chance, const Possible& possible) {
  const std::size_t roll = chance.below(100);
  if (roll < 32) return random_link_request(there, chance, possible);
  if (roll < 52) return random_address_request(there, chance);
  if (roll < 76) return random_route_request(there, chance);
  if (roll < 84) return random_rule_request(chance);
  if (roll < 90 || !possible.nf_tables) return random_setting_request(there, chance);
  return random_nft_request(there, chance);
}

}  // namespace plumbline::sim
