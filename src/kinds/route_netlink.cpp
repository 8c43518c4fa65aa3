// Routes as rtnetlink(7) has them: rtmsg, its attributes, and the nexthops of RTA_MULTIPATH.

#include <linux/rtnetlink.h>

#include <algorithm>

#include "dump.hpp"
#include "plumbline/kinds/route.hpp"

namespace plumbline {

namespace {

using wire::Attribute;
using wire::Malformed;
using wire::MessageBuilder;

RouteType decode_type(std::uint8_t type) {
  switch (type) {
    case RTN_UNICAST:
      return RouteType::unicast;
    case RTN_LOCAL:
      return RouteType::local;
    case RTN_BLACKHOLE:
      return RouteType::blackhole;
    case RTN_UNREACHABLE:
      return RouteType::unreachable;
    case RTN_PROHIBIT:
      return RouteType::prohibit;
    default:
      return RouteType::other;
  }
}

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

/// Whether the attribute says something that a Route cannot hold. What only reports state
/// (RTA_CACHEINFO without an expiry) or repeats the header does not.
bool is_more(const Attribute& attribute) {
  switch (attribute.type()) {
    case RTA_SRC:
    case RTA_IIF:
    case RTA_FLOW:
    case RTA_MARK:
    case RTA_NEWDST:
    case RTA_ENCAP_TYPE:
    case RTA_ENCAP:
    case RTA_EXPIRES:
    case RTA_TTL_PROPAGATE:
    case RTA_NH_ID:
      return true;
    case RTA_PREF:
      return attribute.u8() != 0;  // ICMPV6_ROUTER_PREF_MEDIUM
    case RTA_CACHEINFO:
      return attribute.read<rta_cacheinfo>().rta_expires != 0;
    default:
      return false;
  }
}

IpAddress decode_via(const Attribute& attribute) {
  if (attribute.payload().size() < sizeof(rtvia)) throw Malformed("RTA_VIA too short");
  const auto address = IpAddress::from_bytes(attribute.payload().subspan(sizeof(rtvia)));
  if (!address) throw Malformed("RTA_VIA holds no IP address");
  return *address;
}

void decode_metrics(const Attribute& metrics, Route& route) {
  wire::for_each_attribute(metrics.payload(), [&](const Attribute& metric) {
    if (metric.type() == RTAX_MTU) {
      route.mtu = metric.u32();
    } else if (metric.type() == RTAX_ADVMSS) {
      route.advmss = metric.u32();
    } else {
      route.has_more = true;
    }
  });
}

void set_link(Nexthop& nexthop, std::uint32_t index, const LinkNames& links, Route& route) {
  nexthop.dev = links.name(index);
  if (!nexthop.dev) route.has_more = true;  // a link that came after the names were read
}

void decode_flags(Nexthop& nexthop, unsigned flags, Route& route) {
  nexthop.onlink = (flags & RTNH_F_ONLINK) != 0;
  if ((flags & RTNH_F_PERVASIVE) != 0) route.has_more = true;
}

Nexthop decode_nexthop(const rtnexthop& header, std::span<const std::byte> attributes,
                       const LinkNames& links, Route& route) {
  Nexthop nexthop;
  nexthop.weight = header.rtnh_hops + 1U;
  decode_flags(nexthop, header.rtnh_flags, route);
  if (header.rtnh_ifindex != 0) {
    set_link(nexthop, static_cast<std::uint32_t>(header.rtnh_ifindex), links, route);
  }
  wire::for_each_attribute(attributes, [&](const Attribute& attribute) {
    if (attribute.type() == RTA_GATEWAY) nexthop.via = attribute.address();
    if (attribute.type() == RTA_VIA) nexthop.via = decode_via(attribute);
    if (is_more(attribute)) route.has_more = true;
  });
  return nexthop;
}

void decode_multipath(const Attribute& multipath, const LinkNames& links, Route& route) {
  std::span<const std::byte> rest = multipath.payload();
  while (!rest.empty()) {
    rtnexthop header{};
    if (rest.size() < sizeof header) throw Malformed("rtnexthop cut off");
    std::memcpy(&header, rest.data(), sizeof header);
    if (header.rtnh_len < sizeof header || header.rtnh_len > rest.size()) {
      throw Malformed("rtnexthop length out of bounds");
    }
    const auto attributes = rest.first(header.rtnh_len).subspan(sizeof header);
    route.nexthops.push_back(decode_nexthop(header, attributes, links, route));
    rest = rest.subspan(std::min<std::size_t>(RTNH_ALIGN(header.rtnh_len), rest.size()));
  }
}

Prefix decode_prefix(const Attribute& attribute, std::uint8_t length) {
  return Prefix::masking(attribute.address(), length);
}

void decode_attribute(const Attribute& attribute, const rtmsg& header, const LinkNames& links,
                      Route& route, Nexthop& single) {
  switch (attribute.type()) {
    case RTA_DST:
      route.to = decode_prefix(attribute, header.rtm_dst_len);
      break;
    case RTA_TABLE:
      route.table = TableId{attribute.u32()};
      break;
    case RTA_PRIORITY:
      route.metric = attribute.u32();
      break;
    case RTA_PREFSRC:
      route.src = attribute.address();
      break;
    case RTA_METRICS:
      decode_metrics(attribute, route);
      break;
    case RTA_OIF:
      set_link(single, attribute.u32(), links, route);
      break;
    case RTA_GATEWAY:
      single.via = attribute.address();
      break;
    case RTA_VIA:
      single.via = decode_via(attribute);
      break;
    case RTA_MULTIPATH:
      decode_multipath(attribute, links, route);
      break;
    default:
      if (is_more(attribute)) route.has_more = true;
  }
}

/// IPv6 routes that go nowhere are shown with `dev lo` (net/ipv6/route.c), IPv4 ones without.
bool has_nexthops(const Route& route, const rtmsg& header) {
  return route.type != RouteType::blackhole && route.type != RouteType::unreachable &&
         route.type != RouteType::prohibit && header.rtm_type != RTN_THROW;
}

Route decode_route(const wire::Message& message, const rtmsg& header, const LinkNames& links) {
  Route route;
  route.table = TableId{header.rtm_table};
  route.to = Prefix::any(header.rtm_family == address_family(Family::inet6) ? Family::inet6
                                                                            : Family::inet);
  route.tos = header.rtm_tos;
  route.type = decode_type(header.rtm_type);
  route.protocol = header.rtm_protocol;
  route.scope = header.rtm_scope;
  route.has_more = header.rtm_src_len != 0;
  Nexthop single;
  decode_flags(single, header.rtm_flags, route);
  message.attributes<rtmsg>([&](const Attribute& attribute) {
    decode_attribute(attribute, header, links, route, single);
  });
  if (!has_nexthops(route, header)) {
    route.nexthops.clear();
  } else if (route.nexthops.empty() && (single.dev || single.via)) {
    route.nexthops.push_back(single);
  }
  std::ranges::sort(route.nexthops);
  return route;
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

std::vector<wire::Request> Route::queries(const Scope&) {
  std::vector<wire::Request> queries;
  for (const Family family : {Family::inet, Family::inet6}) {
    rtmsg header{};
    header.rtm_family = address_family(family);
    MessageBuilder builder(RTM_GETROUTE, 0);
    builder.header(header);
    queries.emplace_back(wire::NetlinkDump{std::move(builder).finish()});
  }
  return queries;
}

void Route::decode(const wire::Request& request, const wire::Reply& reply, const LinkNames& links,
                   std::vector<Route>& out) {
  for_each_dumped(request, reply, RTM_NEWROUTE, [&](const wire::Message& message) {
    const auto header = message.fixed<rtmsg>();
    if ((header.rtm_flags & RTM_F_CLONED) == 0) out.push_back(decode_route(message, header, links));
  });
}

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
