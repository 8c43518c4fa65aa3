// What a message of rtnetlink says of a route, and what a dump says: rtm_to_fib_config() in
// net/ipv4/fib_frontend.c, rtm_to_fib6_config() in net/ipv6/route.c, fib_dump_info().

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/sim/attributes.hpp"
#include "tests/sim/routes.hpp"

namespace plumbline::sim {

namespace {

/// struct rtvia: a family, then the address.
std::optional<IpAddress> address_of_via(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(rtvia)) throw Refusal{EINVAL, "Invalid attribute length for RTA_VIA"};
  return IpAddress::from_bytes(bytes.subspan(sizeof(rtvia)));
}

/// In IPv4 an address of zeros is no gateway, in IPv6 it is one that cannot be.
std::optional<IpAddress> gateway_of(const Attributes& given) {
  auto gateway = given.address(RTA_GATEWAY);
  if (given.has(RTA_VIA)) gateway = address_of_via(given.bytes(RTA_VIA));
  const bool is_none = gateway && *gateway == IpAddress::any(gateway->family());
  if (is_none && gateway->family() == Family::inet) gateway.reset();
  return gateway;
}

void check_gateway(const Attributes& given, Family family) {
  if (family == Family::inet6 && given.has(RTA_VIA)) {
    throw Refusal{EINVAL, "IPv6 does not support RTA_VIA attribute"};
  }
  if (given.has(RTA_GATEWAY) && given.has(RTA_VIA)) {
    throw Refusal{EINVAL, "Nexthop configuration can not contain both GATEWAY and VIA"};
  }
}

void read_multipath(std::span<const std::byte> rest, Family family, Route& route) {
  while (!rest.empty()) {
    rtnexthop header{};
    if (rest.size() < sizeof header)
      throw Refusal{EINVAL, "Invalid nexthop configuration - extra data after nexthop"};
    std::memcpy(&header, rest.data(), sizeof header);
    if (header.rtnh_len < sizeof header || header.rtnh_len > rest.size()) {
      throw Refusal{EINVAL, "Invalid nexthop configuration - extra data after nexthop"};
    }
    const Attributes given(rest.first(header.rtnh_len).subspan(sizeof header));
    check_gateway(given, family);
    route.nexthops.push_back(
        {header.rtnh_ifindex, gateway_of(given), header.rtnh_hops, header.rtnh_flags, 0});
    rest = rest.subspan(std::min<std::size_t>(RTNH_ALIGN(header.rtnh_len), rest.size()));
  }
  if (route.nexthops.empty()) throw Refusal{EINVAL, ""};
}

void read_metrics(const Attributes& given, Route& route) {
  const Attributes metrics = given.inside(RTA_METRICS);
  for (const auto& [type, metric] : metrics.all()) {
    if (type == 0) continue;
    if (type > RTAX_MAX) throw Refusal{EINVAL, "Invalid metric type"};
    route.metrics[type] = metric.u32();
  }
}

void check_destination(const rtmsg& header, const Attributes& given, Family family) {
  if (header.rtm_dst_len > address_bits(family)) {
    throw Refusal{EINVAL, "Invalid prefix length"};
  }
  if (family == Family::inet6) return;
  const IpAddress to = given.address(RTA_DST).value_or(IpAddress::any(family));
  if (to.masked(header.rtm_dst_len) != to) {
    throw Refusal{EINVAL, "Invalid prefix for given prefix length"};
  }
}

}  // namespace

RouteRequest read_route(const wire::Message& message, Family family) {
  const auto header = message.fixed<rtmsg>();
  const auto given = Attributes::behind<rtmsg>(message);
  if (family == Family::inet6 && header.rtm_tos != 0) {
    throw Refusal{EINVAL, "Invalid dsfield (tos): option not available for IPv6"};
  }
  if (family == Family::inet && (header.rtm_tos & 3U) != 0) {
    throw Refusal{EINVAL, "Invalid dsfield (tos): ECN bits must be 0"};
  }
  if (header.rtm_type > RTN_MAX) throw Refusal{EINVAL, "Invalid route type"};
  check_gateway(given, family);
  check_destination(header, given, family);
  RouteRequest request;
  request.flags = message.flags();
  Route& route = request.route;
  route.table = given.u32(RTA_TABLE).value_or(header.rtm_table);
  if (route.table == 0) route.table = RT_TABLE_MAIN;
  const IpAddress to = given.address(RTA_DST).value_or(IpAddress::any(family));
  route.to = Prefix::masking(to, header.rtm_dst_len);
  route.tos = header.rtm_tos;
  route.type = header.rtm_type;
  route.protocol = header.rtm_protocol;
  route.scope = header.rtm_scope;
  route.metric = given.u32(RTA_PRIORITY).value_or(0);
  route.source = given.address(RTA_PREFSRC);
  if (route.source && *route.source == IpAddress::any(family)) route.source.reset();
  read_metrics(given, route);
  request.has_device = given.u32(RTA_OIF).value_or(0) != 0;
  const auto gateway = gateway_of(given);
  request.has_gateway = gateway.has_value();
  request.via = given.has(RTA_VIA);
  request.multipath = given.has(RTA_MULTIPATH);
  if (request.multipath) {
    read_multipath(given.bytes(RTA_MULTIPATH), family, route);
  } else {
    route.nexthops = {{static_cast<int>(given.u32(RTA_OIF).value_or(0)), gateway, 0,
                       static_cast<std::uint8_t>(header.rtm_flags), 0}};
  }
  return request;
}

// ---- the dump -----------------------------------------------------------------------------------

namespace {

void put_gateway(wire::MessageBuilder& message, Family family, const Nexthop& nexthop) {
  if (!nexthop.gateway) return;
  if (nexthop.gateway->family() == family) {
    message.address(RTA_GATEWAY, *nexthop.gateway);
    return;
  }
  const std::uint16_t other = address_family(nexthop.gateway->family());
  wire::Bytes via(sizeof other);
  std::memcpy(via.data(), &other, sizeof other);
  const auto bytes = nexthop.gateway->bytes();
  via.insert(via.end(), bytes.begin(), bytes.end());
  message.bytes(RTA_VIA, via);
}

void put_multipath(wire::MessageBuilder& message, Family family, std::span<const Nexthop> ways) {
  message.nest(RTA_MULTIPATH, [&](wire::MessageBuilder& nest) {
    for (const Nexthop& way : ways) {
      const std::size_t start = nest.size();
      rtnexthop header{};
      header.rtnh_flags = way.flags;
      header.rtnh_hops = way.hops;
      header.rtnh_ifindex = way.device;
      nest.append(&header, sizeof header);
      put_gateway(nest, family, way);
      header.rtnh_len = static_cast<unsigned short>(nest.size() - start);
      std::memcpy(nest.written().data() + start, &header, sizeof header);
    }
  });
}

/// `ways` are those of the route and, of IPv6, of the routes that are dumped with it.
void put_route(wire::Bytes& all, const Route& route, std::span<const Nexthop> ways) {
  const Family family = route.to.family();
  wire::MessageBuilder message(RTM_NEWROUTE, NLM_F_MULTI);
  rtmsg header{};
  header.rtm_family = address_family(family);
  header.rtm_dst_len = route.to.length();
  header.rtm_tos = route.tos;
  header.rtm_table = static_cast<std::uint8_t>(route.table < 256 ? route.table : RT_TABLE_COMPAT);
  header.rtm_protocol = route.protocol;
  header.rtm_scope = route.scope;
  header.rtm_type = route.type;
  if (ways.size() == 1) header.rtm_flags = ways.front().flags;
  message.header(header);
  message.u32(RTA_TABLE, route.table);
  if (route.to.length() != 0) message.address(RTA_DST, route.to.address());
  if (route.metric != 0 || family == Family::inet6) message.u32(RTA_PRIORITY, route.metric);
  if (!route.metrics.empty()) {
    message.nest(RTA_METRICS, [&](wire::MessageBuilder& nest) {
      for (const auto& [type, value] : route.metrics) nest.u32(type, value);
    });
  }
  if (route.source) message.address(RTA_PREFSRC, *route.source);
  if (ways.size() == 1) {
    put_gateway(message, family, ways.front());
    if (ways.front().device != 0) {
      message.u32(RTA_OIF, static_cast<std::uint32_t>(ways.front().device));
    }
  } else if (!ways.empty()) {
    put_multipath(message, family, ways);
  }
  if (family == Family::inet6) {
    const rta_cacheinfo times{};
    message.bytes(RTA_CACHEINFO, std::as_bytes(std::span(&times, 1)));
    message.u8(RTA_PREF, 0);
  }
  const wire::Bytes bytes = std::move(message).finish();
  all.insert(all.end(), bytes.begin(), bytes.end());
  all.resize(wire::aligned(all.size()));
}

bool is_asked_for(const rtmsg& asked, const Route& route) {
  return (asked.rtm_table == 0 || asked.rtm_table == route.table) &&
         (asked.rtm_type == 0 || asked.rtm_type == route.type) &&
         (asked.rtm_protocol == 0 || asked.rtm_protocol == route.protocol);
}

}  // namespace

wire::Bytes dump_routes(const Namespace& there, const wire::Message& request) {
  const auto asked = request.fixed<rtmsg>();
  wire::Bytes all;
  for (const Family family : {Family::inet, Family::inet6}) {
    if (asked.rtm_family != 0 && asked.rtm_family != address_family(family)) continue;
    const std::vector<Route>& routes = there.routing(family).routes;
    for (std::size_t i = 0; i < routes.size(); ++i) {
      const Route& route = routes[i];
      std::vector<Nexthop> ways = route.nexthops;
      // Ways of one IPv6 route are routes of their own (fib6_siblings).
      while (route.sibling && i + 1 < routes.size() && routes[i + 1].sibling &&
             same_place(route, routes[i + 1])) {
        ways.push_back(routes[++i].nexthops.front());
      }
      if (is_asked_for(asked, route)) put_route(all, route, ways);
    }
  }
  return all;
}

void new_route(Namespace& there, const wire::Message& message) {
  const std::uint8_t family = message.fixed<rtmsg>().rtm_family;
  if (family == AF_INET) return add_inet_route(there, read_route(message, Family::inet));
  if (family == AF_INET6) return add_inet6_route(there, read_route(message, Family::inet6));
  throw Refusal{EOPNOTSUPP, ""};
}

void remove_route(Namespace& there, const wire::Message& message) {
  const std::uint8_t family = message.fixed<rtmsg>().rtm_family;
  if (family == AF_INET) return remove_inet_route(there, read_route(message, Family::inet));
  if (family == AF_INET6) return remove_inet6_route(there, read_route(message, Family::inet6));
  throw Refusal{EOPNOTSUPP, ""};
}

}  // namespace plumbline::sim
