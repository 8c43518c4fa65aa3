// IPv4 routes: fib_table_insert() and fib_table_delete() in net/ipv4/fib_trie.c, fib_create_info()
// in net/ipv4/fib_semantics.c.

#include "tests/sim/routes.hpp"

#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <compare>

#include "tests/sim/addresses.hpp"
#include "tests/sim/refusal.hpp"

namespace plumbline::sim {

namespace {

/// Buckets of tables (fib_table_hash, fib_table_hash6).
auto table_order(const Route& route) { return std::pair(route.table & 255U, route.table); }

/// Below a node come both of its children and then itself (fib6_walk_continue()).
bool before_in_tree(const Prefix& one, const Prefix& other) {
  if (one.contains(other.address()) && one.length() < other.length()) return false;
  if (other.contains(one.address()) && other.length() < one.length()) return true;
  return one.address() < other.address();
}

bool goes_nowhere(std::uint8_t type) {
  return type == RTN_BLACKHOLE || type == RTN_UNREACHABLE || type == RTN_PROHIBIT ||
         type == RTN_THROW;
}

/// fib_props in net/ipv4/fib_semantics.c
std::uint8_t least_scope(std::uint8_t type) {
  switch (type) {
    case RTN_UNSPEC:
    case RTN_NAT:
    case RTN_XRESOLVE:
      return RT_SCOPE_NOWHERE;
    case RTN_LOCAL:
      return RT_SCOPE_HOST;
    case RTN_BROADCAST:
    case RTN_ANYCAST:
      return RT_SCOPE_LINK;
    default:
      return RT_SCOPE_UNIVERSE;
  }
}

/// The kind of an address as a destination (inet_addr_type_dev_table()).
std::uint8_t type_of(const Namespace& there, const IpAddress& address,
                     std::uint32_t table = RT_TABLE_LOCAL) {
  const auto first = std::to_integer<unsigned>(address.bytes()[0]);
  if (first == 0 || address == *IpAddress::parse("255.255.255.255")) return RTN_BROADCAST;
  if (first >= 224 && first < 240) return RTN_MULTICAST;
  if (!there.inet.tables.contains(table)) return RTN_BROADCAST;
  const Way way = look_up_in(there, {address, 0, 0}, table);
  return way.route != nullptr ? way.route->type : std::uint8_t{RTN_UNICAST};
}

void note_carrier(const Device& device, Nexthop& nexthop) {
  if (!device.carrier) nexthop.flags |= RTNH_F_LINKDOWN;
}

/// fib_check_nh_v4_gw()
void check_gateway(Namespace& there, const Route& route, Nexthop& nexthop) {
  if ((nexthop.flags & RTNH_F_ONLINK) != 0) {
    if (route.scope >= RT_SCOPE_LINK) throw Refusal{EINVAL, "Nexthop has invalid scope"};
    const Device* device = there.device(nexthop.device);
    if (device == nullptr) throw Refusal{ENODEV, "Nexthop device required for onlink"};
    if (!device->is(IFF_UP)) throw Refusal{ENETDOWN, "Nexthop device is not up"};
    if (type_of(there, *nexthop.gateway) != RTN_UNICAST) {
      throw Refusal{EINVAL, "Nexthop has invalid gateway"};
    }
    nexthop.scope = RT_SCOPE_LINK;
    return note_carrier(*device, nexthop);
  }
  const auto scope = std::max<unsigned>(route.scope + 1U, static_cast<unsigned>(RT_SCOPE_LINK));
  const Flow flow{*nexthop.gateway, nexthop.device, static_cast<std::uint8_t>(scope)};
  Way way{nullptr, nullptr, ENETUNREACH};
  if (route.table != RT_TABLE_MAIN) way = look_up_in(there, flow, route.table);
  if (way.error != 0) way = look_up(there, flow);
  if (way.error != 0) throw Refusal{way.error, "Nexthop has invalid gateway"};
  if (way.route->type != RTN_UNICAST && way.route->type != RTN_LOCAL) {
    throw Refusal{EINVAL, "Nexthop has invalid gateway"};
  }
  nexthop.scope = way.route->scope;
  nexthop.device = way.nexthop->device;
  const Device* device = there.device(nexthop.device);
  if (device == nullptr) throw Refusal{EINVAL, "No egress device for nexthop gateway"};
  note_carrier(*device, nexthop);
  if (!device->is(IFF_UP)) throw Refusal{ENETDOWN, ""};
}

/// fib_check_nh()
void check_nexthop(Namespace& there, const Route& route, Nexthop& nexthop) {
  if (nexthop.gateway && nexthop.gateway->family() == Family::inet6) {
    check_inet6_gateway(there, route.table, nexthop);  // fib_check_nh_v6_gw()
    nexthop.scope = RT_SCOPE_LINK;
    return;
  }
  if (nexthop.gateway) return check_gateway(there, route, nexthop);
  if ((nexthop.flags & (RTNH_F_PERVASIVE | RTNH_F_ONLINK)) != 0) {
    throw Refusal{EINVAL, "Invalid flags for nexthop - PERVASIVE and ONLINK can not be set"};
  }
  const Device* device = there.device(nexthop.device);
  if (device == nullptr) throw Refusal{ENODEV, ""};
  if (!device->is(IFF_UP)) throw Refusal{ENETDOWN, "Device for nexthop is not up"};
  nexthop.scope = RT_SCOPE_HOST;
  note_carrier(*device, nexthop);
}

void check_host_scope(Namespace& there, Route& route) {
  if (route.nexthops.size() != 1) {
    throw Refusal{EINVAL, "Route with host scope can not have multiple nexthops"};
  }
  Nexthop& nexthop = route.nexthops.front();
  if (nexthop.gateway) throw Refusal{EINVAL, "Route with host scope can not have a gateway"};
  if (there.device(nexthop.device) == nullptr) throw Refusal{ENODEV, ""};
  nexthop.scope = RT_SCOPE_NOWHERE;
}

/// fib_create_info(), in its order.
void check(Namespace& there, RouteRequest& request) {
  Route& route = request.route;
  if (least_scope(route.type) > route.scope) throw Refusal{EINVAL, "Invalid scope"};
  constexpr unsigned unasked = RTNH_F_DEAD | RTNH_F_LINKDOWN;
  for (const Nexthop& nexthop : route.nexthops) {
    if ((nexthop.flags & unasked) == 0) continue;
    throw Refusal{EINVAL, request.multipath
                              ? "Invalid flags for nexthop - can not contain DEAD or LINKDOWN"
                              : "Invalid rtm_flags - can not contain DEAD or LINKDOWN"};
  }
  if (goes_nowhere(route.type)) {
    if (request.has_gateway || request.has_device || request.multipath) {
      throw Refusal{EINVAL,
                    "Gateway, device and multipath can not be specified for this route type"};
    }
    route.nexthops.clear();
  } else if (route.type == RTN_UNSPEC || route.type > RTN_MULTICAST) {
    throw Refusal{EINVAL, "Invalid route type"};
  } else if (route.scope > RT_SCOPE_HOST) {
    throw Refusal{EINVAL, "Invalid scope"};
  } else if (route.scope == RT_SCOPE_HOST) {
    check_host_scope(there, route);
  } else {
    for (Nexthop& nexthop : route.nexthops) check_nexthop(there, route, nexthop);
  }
  if (!route.source || goes_nowhere(route.type)) return;
  // fib_valid_prefsrc(): a local route may be what makes its source local.
  const bool makes_it = route.type == RTN_LOCAL && route.to.address() == *route.source;
  const bool by_its_table =
      route.table != RT_TABLE_MAIN && type_of(there, *route.source, route.table) == RTN_LOCAL;
  if (!makes_it && !by_its_table && type_of(there, *route.source) != RTN_LOCAL) {
    throw Refusal{EINVAL, "Invalid prefsrc address"};
  }
}

/// nh_comp(): what a link's state says of a way is no difference.
bool same_nexthops(const Route& one, const Route& other) {
  constexpr unsigned state = RTNH_F_DEAD | RTNH_F_LINKDOWN;
  return std::ranges::equal(one.nexthops, other.nexthops, [](const Nexthop& a, const Nexthop& b) {
    return a.device == b.device && a.gateway == b.gateway && a.hops == b.hops &&
           a.scope == b.scope && ((a.flags ^ b.flags) & ~state) == 0;
  });
}

/// fib_find_info() and the type
bool is_same(const Route& one, const Route& other) {
  return one.type == other.type && one.protocol == other.protocol && one.scope == other.scope &&
         one.source == other.source && one.metrics == other.metrics && same_nexthops(one, other);
}

/// fib_table_insert()
void insert(Namespace& there, const Route& route, std::uint16_t flags) {
  std::vector<Route>& routes = there.inet.routes;
  const auto first =
      std::ranges::find_if(routes, [&](const Route& other) { return same_place(other, route); });
  if (first == routes.end()) {
    if ((flags & NLM_F_CREATE) == 0) throw Refusal{ENOENT, ""};
    const auto at = std::ranges::find_if(
        routes, [&](const Route& other) { return comes_before(route, other); });
    routes.insert(at, route);
    return;
  }
  const auto end = std::find_if(first, routes.end(),
                                [&](const Route& other) { return !same_place(other, route); });
  if ((flags & NLM_F_EXCL) != 0) throw Refusal{EEXIST, ""};
  const auto same =
      std::find_if(first, end, [&](const Route& other) { return is_same(other, route); });
  if ((flags & NLM_F_REPLACE) != 0) {
    if (same != end) {
      if (same != first) throw Refusal{EEXIST, ""};
      return;
    }
    *first = route;
    return;
  }
  if (same != end) throw Refusal{EEXIST, ""};
  if ((flags & NLM_F_CREATE) == 0 && (flags & NLM_F_APPEND) == 0) throw Refusal{ENOENT, ""};
  routes.insert((flags & NLM_F_APPEND) != 0 ? end : first, route);
}

}  // namespace

bool comes_before(const Route& one, const Route& other) {
  if (table_order(one) != table_order(other)) return table_order(one) < table_order(other);
  if (one.to != other.to) {
    if (one.to.family() == Family::inet6) return before_in_tree(one.to, other.to);
    // By key, and below it the longest first (fib_find_alias()).
    if (one.to.address() != other.to.address()) return one.to.address() < other.to.address();
    return one.to.length() > other.to.length();
  }
  if (one.tos != other.tos) return one.tos > other.tos;
  return one.metric < other.metric;
}

bool same_place(const Route& one, const Route& other) {
  return one.table == other.table && one.to == other.to && one.tos == other.tos &&
         one.metric == other.metric;
}

/// fib_new_table()
void make_table(Namespace& there, std::uint32_t table) {
  there.inet.tables.insert(table);
  // Without rules of anybody's both are one (fib_trie_table()).
  if (table == RT_TABLE_LOCAL && !there.inet.custom_rules) there.inet.tables.insert(RT_TABLE_MAIN);
}

void add_inet_route(Namespace& there, RouteRequest request) {
  make_table(there, request.route.table);
  check(there, request);
  insert(there, request.route, request.flags);
}

void remove_inet_route(Namespace& there, const RouteRequest& request) {
  std::vector<Route>& routes = there.inet.routes;
  const Route& asked = request.route;
  if (!there.inet.tables.contains(asked.table)) throw Refusal{ESRCH, "FIB table does not exist"};
  const auto matches_way = [&](const Route& route) {  // fib_nh_match()
    if (request.multipath) {  // what is asked for beyond those that there are is not looked at
      return route.nexthops.size() <= asked.nexthops.size() &&
             std::equal(route.nexthops.begin(), route.nexthops.end(), asked.nexthops.begin(),
                        [](const Nexthop& have, const Nexthop& want) {
                          return (want.device == 0 || have.device == want.device) &&
                                 (!want.gateway || have.gateway == want.gateway);
                        });
    }
    if (!request.has_device && !request.has_gateway) return true;
    if (route.nexthops.empty()) return false;
    const Nexthop& have = route.nexthops.front();
    const Nexthop& want = asked.nexthops.front();
    return (want.device == 0 || have.device == want.device) &&
           (!want.gateway || have.gateway == want.gateway);
  };
  const auto found = std::ranges::find_if(routes, [&](const Route& route) {
    return route.table == asked.table && route.to == asked.to && route.tos == asked.tos &&
           (asked.type == 0 || route.type == asked.type) &&
           (asked.scope == RT_SCOPE_NOWHERE || route.scope == asked.scope) &&
           (!asked.source || route.source == asked.source) &&
           (asked.protocol == 0 || route.protocol == asked.protocol) &&
           (asked.metric == 0 || route.metric == asked.metric) && matches_way(route) &&
           std::ranges::all_of(asked.metrics, [&](const auto& metric) {
             const auto has = route.metrics.find(metric.first);
             return has != route.metrics.end() && has->second == metric.second;
           });
  });
  if (found == routes.end()) throw Refusal{ESRCH, ""};
  routes.erase(found);
}

void add_own(Namespace& there, const Route& route) {
  RouteRequest request;
  request.route = route;
  request.has_device = true;
  request.flags = NLM_F_CREATE | NLM_F_APPEND;
  try {
    if (route.to.family() == Family::inet) {
      add_inet_route(there, std::move(request));
    } else {
      add_inet6_route(there, std::move(request));
    }
  } catch (const Refusal&) {
    // It is there, or its link is down.
  }
}

/// fib_magic(): whatever is first of what it says, whoever made it.
void remove_own_inet(Namespace& there, const Route& route) {
  std::vector<Route>& routes = there.inet.routes;
  const auto found = std::ranges::find_if(routes, [&](const Route& other) {
    return other.table == route.table && other.to == route.to && other.tos == 0 &&
           other.type == route.type && other.scope == route.scope &&
           other.protocol == route.protocol && other.source == route.source &&
           (route.metric == 0 || other.metric == route.metric) && !other.nexthops.empty() &&
           other.nexthops.front().device == route.nexthops.front().device;
  });
  if (found != routes.end()) routes.erase(found);
}

}  // namespace plumbline::sim
