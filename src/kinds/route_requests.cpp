// The rtnetlink(7) requests that make, replace and remove routes.

#include <linux/rtnetlink.h>

#include <utility>

#include "plumbline/kinds/route.hpp"
#include "plumbline/wire/netlink.hpp"

namespace plumbline {

namespace {

using wire::MessageBuilder;

std::uint8_t encode_type(RouteType type) {
  switch (type) {
    case RouteType::unicast:
      return RTN_UNICAST;
    case RouteType::local:
      return RTN_LOCAL;
    case RouteType::blackhole:
      return RTN_BLACKHOLE;
    case RouteType::unreachable:
      return RTN_UNREACHABLE;
    case RouteType::prohibit:
      return RTN_PROHIBIT;
    case RouteType::other:
      break;
  }
  return RTN_UNSPEC;
}

void put_gateway(MessageBuilder& builder, Family family, const Nexthop& nexthop) {
  if (!nexthop.via) return;
  if (nexthop.via->family() == family) {
    builder.address(RTA_GATEWAY, *nexthop.via);
    return;
  }
  // struct rtvia: the family, then the address, with nothing between them
  const std::uint16_t via_family = address_family(nexthop.via->family());
  std::vector<std::byte> via(sizeof via_family);
  std::memcpy(via.data(), &via_family, sizeof via_family);
  via.insert(via.end(), nexthop.via->bytes().begin(), nexthop.via->bytes().end());
  builder.bytes(RTA_VIA, via);
}

std::uint32_t link_index(const Nexthop& nexthop, const LinkNames& links) {
  return nexthop.dev ? links.index(*nexthop.dev) : 0;
}

void put_multipath(MessageBuilder& builder, const Route& route, const LinkNames& links) {
  for (const Nexthop& nexthop : route.nexthops) {
    const std::size_t start = builder.size();
    rtnexthop header{};
    header.rtnh_flags = nexthop.onlink ? RTNH_F_ONLINK : 0;
    header.rtnh_hops = static_cast<unsigned char>(nexthop.weight - 1);
    header.rtnh_ifindex = static_cast<int>(link_index(nexthop, links));
    builder.append(&header, sizeof header);
    put_gateway(builder, route.family(), nexthop);
    header.rtnh_len = static_cast<unsigned short>(builder.size() - start);
    std::memcpy(builder.written().data() + start, &header, sizeof header);
  }
}

void put_nexthops(MessageBuilder& builder, const Route& route, const LinkNames& links) {
  if (route.nexthops.size() == 1) {
    put_gateway(builder, route.family(), route.nexthops.front());
    const std::uint32_t index = link_index(route.nexthops.front(), links);
    if (index != 0) builder.u32(RTA_OIF, index);
  } else if (!route.nexthops.empty()) {
    builder.nest(RTA_MULTIPATH, [&](MessageBuilder& nest) { put_multipath(nest, route, links); });
  }
}

/// The header, and the attributes that identify the route.
MessageBuilder identifying(std::uint16_t type, std::uint16_t flags, const Route& route) {
  rtmsg header{};
  header.rtm_family = address_family(route.family());
  header.rtm_dst_len = route.to.length();
  header.rtm_tos = route.tos;
  header.rtm_protocol = route.protocol;
  header.rtm_scope = route.scope;
  header.rtm_type = encode_type(route.type);
  if (route.nexthops.size() == 1 && route.nexthops.front().onlink) {
    header.rtm_flags = RTNH_F_ONLINK;
  }
  MessageBuilder builder(type, flags);
  builder.header(header);
  if (route.to.length() != 0) builder.address(RTA_DST, route.to.address());
  builder.u32(RTA_TABLE, route.table.number);
  builder.u32(RTA_PRIORITY, route.metric);
  return builder;
}

wire::Request new_route(std::uint16_t flags, const Route& route, const LinkNames& links) {
  MessageBuilder builder = identifying(RTM_NEWROUTE, flags, route);
  if (route.src) builder.address(RTA_PREFSRC, *route.src);
  if (route.mtu != 0 || route.advmss != 0) {
    builder.nest(RTA_METRICS, [&](MessageBuilder& nest) {
      if (route.mtu != 0) nest.u32(RTAX_MTU, route.mtu);
      if (route.advmss != 0) nest.u32(RTAX_ADVMSS, route.advmss);
    });
  }
  put_nexthops(builder, route, links);
  return wire::NetlinkChange{std::move(builder).finish()};
}

}  // namespace

std::vector<wire::Request> create(const Route& route, const LinkNames& links) {
  return {new_route(NLM_F_CREATE | NLM_F_EXCL, route, links)};
}

std::vector<wire::Request> update(const Route&, const Route& want, const LinkNames& links) {
  return {new_route(NLM_F_REPLACE, want, links)};
}

/// Says all that the kernel compares, so that nobody else's route is hit. Several nexthops are not
/// named: IPv6 would delete them one by one (net/ipv6/route.c, ip6_route_multipath_del()).
std::vector<wire::Request> remove(const Route& route, const LinkNames& links) {
  MessageBuilder builder = identifying(RTM_DELROUTE, 0, route);
  if (route.nexthops.size() == 1) put_nexthops(builder, route, links);
  return {wire::NetlinkChange{std::move(builder).finish()}};
}

}  // namespace plumbline
