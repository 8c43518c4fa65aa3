// Routes as a dump of rtnetlink(7) shows them: rtmsg, its attributes, and the nexthops of
// RTA_MULTIPATH.

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "dump.hpp"
#include "plumbline/kinds/route.hpp"
#include "route_facts.hpp"

namespace plumbline {

namespace {

using wire::Attribute;
using wire::Malformed;

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
  nexthop.observed.dead = (flags & RTNH_F_DEAD) != 0;
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
  return !detail::goes_nowhere(route.type) && header.rtm_type != RTN_THROW;
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

}  // namespace

namespace {

wire::Request query_of(Family family, TableId table, std::uint8_t type) {
  rtmsg header{};
  header.rtm_family = address_family(family);
  header.rtm_type = type;
  header.rtm_table = static_cast<std::uint8_t>(table.number);
  wire::MessageBuilder builder(RTM_GETROUTE, 0);
  builder.header(header);
  return wire::NetlinkDump{std::move(builder).finish()};
}

}  // namespace

wire::Request Route::query(Family family) { return query_of(family, TableId{0}, RTN_UNSPEC); }

wire::Request Route::local_query(Family family) { return query_of(family, local_table, RTN_LOCAL); }

std::string Route::cut_off() {
  return "the one that follows has too many next hops to fit into a part of a "
         "list (32 KiB), and what is behind it cannot be seen. Have its owner remove it, or give "
         "it "
         "fewer next hops";
}

std::vector<wire::Request> Route::queries(const Scope&) {
  return {query(Family::inet), query(Family::inet6)};
}

void Route::decode(const wire::Request& request, const wire::Reply& reply, const LinkNames& links,
                   std::vector<Route>& out) {
  // IPv4 before Linux 6.10; later the list just ends (kernel/whole_routes.hpp).
  if (reply.error == EMSGSIZE) throw Malformed("the routes cannot be listed: " + cut_off());
  detail::for_each_dumped(request, reply, RTM_NEWROUTE, [&](const wire::Message& message) {
    const auto header = message.fixed<rtmsg>();
    if ((header.rtm_flags & RTM_F_CLONED) == 0) out.push_back(decode_route(message, header, links));
  });
}

}  // namespace plumbline
