// IPv6 routes: net/ipv6/route.c and fib6_add_rt2node() in net/ipv6/ip6_fib.c.
//
// Each way of a route of several is a route of its own here, as in Linux; they stand one after the
// other and are dumped as one.

#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "tests/sim/addresses.hpp"
#include "tests/sim/refusal.hpp"
#include "tests/sim/routes.hpp"
#include "tests/sim/sysctls.hpp"

namespace plumbline::sim {

namespace {

constexpr std::uint32_t usual_metric = 1024;  ///< IP6_RT_PRIO_USER

bool goes_nowhere(std::uint8_t type) {
  return type == RTN_BLACKHOLE || type == RTN_UNREACHABLE || type == RTN_PROHIBIT ||
         type == RTN_THROW;
}

bool is_own(const Namespace& there, const IpAddress& address, int device) {
  for (const auto& [index, link] : there.devices) {
    if (device != 0 && index != device) continue;
    for (const Address& own : link.inet6) {
      if (own.local == address) return true;
    }
  }
  return false;
}

int loopback_of(const Namespace& there) {
  for (const auto& [index, device] : there.devices) {
    if (device.is(IFF_LOOPBACK)) return index;
  }
  return 0;
}

/// What leads over `lo` is an end in itself (fib6_is_reject()).
bool ends(const Namespace& there, const Way& way) {
  return goes_nowhere(way.route->type) ||
         (way.route->type == RTN_UNICAST && way.nexthop->device == loopback_of(there));
}

/// ip6_route_check_nh(): the link the gateway is on.
int device_to(const Namespace& there, const Route& route, const Nexthop& nexthop) {
  const Flow flow{*nexthop.gateway, nexthop.device, 0};
  const auto is_good = [&](const Way& way) {
    return way.error == 0 && !ends(there, way) && !way.nexthop->gateway;
  };
  Way way = look_up_in(there, flow, route.table);
  const bool found = is_good(way) && (nexthop.device == 0 || way.nexthop->device == nexthop.device);
  if (!found) way = look_up(there, flow);
  if (!is_good(way)) throw Refusal{EHOSTUNREACH, ""};
  if (nexthop.device != 0 && way.nexthop->device != nexthop.device) {
    throw Refusal{EHOSTUNREACH, ""};
  }
  return way.nexthop->device;
}

/// ip6_route_check_nh_onlink()
void check_onlink(const Namespace& there, const Nexthop& nexthop) {
  const Way way = look_up_in(there, {*nexthop.gateway, 0, 0}, RT_TABLE_MAIN);
  if (way.error != 0 || ends(there, way) || way.route->to.length() == 0) return;
  if (way.route->type != RTN_UNICAST || way.nexthop->device != nexthop.device) {
    throw Refusal{EINVAL, "Nexthop has invalid gateway or device mismatch"};
  }
}

/// ip6_validate_gw()
void check_gateway(Namespace& there, const Route& route, Nexthop& nexthop) {
  const IpAddress gateway = *nexthop.gateway;
  const bool near = is_link_local(gateway);
  const bool given = nexthop.device != 0;
  const auto refuse_own = [&] {
    if (is_own(there, gateway, near ? nexthop.device : 0)) {
      throw Refusal{EINVAL, "Gateway can not be a local address"};
    }
  };
  if (given) refuse_own();
  if (!near) {
    const bool is_multicast = std::to_integer<unsigned>(gateway.bytes()[0]) == 0xff;
    if (is_multicast || gateway == IpAddress::any(Family::inet6)) {
      throw Refusal{EINVAL, "Invalid gateway address"};
    }
    if ((nexthop.flags & RTNH_F_ONLINK) != 0) {
      check_onlink(there, nexthop);
    } else {
      nexthop.device = device_to(there, route, nexthop);
    }
  }
  const Device* device = there.device(nexthop.device);
  if (device == nullptr) throw Refusal{EINVAL, "Egress device not specified"};
  if (device->is(IFF_LOOPBACK)) {
    throw Refusal{EINVAL, "Egress device can not be loopback device for this route"};
  }
  if (!given) refuse_own();
}

/// fib6_nh_init(), in its order.
void check_nexthop(Namespace& there, Route& route, Nexthop& nexthop) {
  const Device* device = there.device(nexthop.device);
  if (nexthop.device != 0 && (device == nullptr || !device->has_inet6)) throw Refusal{ENODEV, ""};
  if ((nexthop.flags & RTNH_F_ONLINK) != 0) {
    if (device == nullptr) throw Refusal{ENODEV, "Nexthop device required for onlink"};
    if (!device->is(IFF_UP)) throw Refusal{ENETDOWN, "Nexthop device is not up"};
  }
  if (goes_nowhere(route.type)) {
    nexthop = {loopback_of(there), {}, 0, 0, 0};
    return;
  }
  if (nexthop.gateway) check_gateway(there, route, nexthop);
  device = there.device(nexthop.device);
  if (device == nullptr) throw Refusal{ENODEV, ""};
  if (!device->has_inet6 || inet6_setting(*device, "disable_ipv6") != "0") {
    throw Refusal{EACCES, "IPv6 is disabled on nexthop device"};
  }
  const bool ignores_state = route.type == RTN_LOCAL && route.protocol == RTPROT_KERNEL;
  if (!device->is(IFF_UP) && !ignores_state) throw Refusal{ENETDOWN, "Nexthop device is not up"};
  if (route.type != RTN_LOCAL && route.type != RTN_ANYCAST && !device->carrier) {
    nexthop.flags |= RTNH_F_LINKDOWN;
  }
}

/// rt6_qualify_for_ecmp()
bool may_be_one_of_several(const Route& route) {
  return route.nexthops.front().gateway.has_value();
}

bool same_way(const Route& one, const Route& other) {
  const Nexthop& a = one.nexthops.front();
  const Nexthop& b = other.nexthops.front();
  return a.device == b.device && a.gateway == b.gateway;
}

void note_siblings(std::vector<Route>& routes, const Route& route) {
  const auto is_member = [&](const Route& other) {
    return same_place(other, route) && may_be_one_of_several(other);
  };
  const bool several = std::ranges::count_if(routes, is_member) > 1;
  for (Route& other : routes) {
    if (is_member(other)) other.sibling = several;
  }
}

/// fib6_add()
void insert(Namespace& there, Route route, std::uint16_t flags) {
  std::vector<Route>& routes = there.inet6.routes;
  const bool replace = (flags & NLM_F_REPLACE) != 0;
  const bool several = may_be_one_of_several(route);
  // The tree has its root always.
  const bool has_node =
      route.to.length() == 0 || std::ranges::any_of(routes, [&](const Route& other) {
        return other.table == route.table && other.to == route.to;
      });
  if (replace && (flags & NLM_F_CREATE) == 0 && !has_node) {
    throw Refusal{ENOENT, "Can not replace route - no match found"};
  }
  auto present = routes.end();
  for (auto other = routes.begin(); other != routes.end(); ++other) {
    if (!same_place(*other, route)) continue;
    if ((flags & NLM_F_EXCL) != 0) throw Refusal{EEXIST, ""};
    if (replace) {
      if (may_be_one_of_several(*other) == several) {
        present = other;
        break;
      }
      if (present == routes.end()) present = other;
      continue;
    }
    if (same_way(*other, route)) throw Refusal{EEXIST, ""};
  }
  if (replace && present != routes.end()) {
    const bool others = present->sibling;
    *present = route;
    const auto rest = std::next(present);
    if (others) {
      routes.erase(std::remove_if(rest, routes.end(),
                                  [&](const Route& other) {
                                    return same_place(other, route) && may_be_one_of_several(other);
                                  }),
                   routes.end());
    }
    return;
  }
  if (replace && (flags & NLM_F_CREATE) == 0) throw Refusal{ENOENT, ""};
  const auto at =
      std::ranges::find_if(routes, [&](const Route& other) { return comes_before(route, other); });
  routes.insert(at, route);
  if (several) note_siblings(routes, route);
}

/// ip6_route_multipath_add(): all are judged before the first is added.
void insert_several(Namespace& there, const std::vector<Route>& ways, std::uint16_t flags) {
  const std::vector<Route> before = there.inet6.routes;
  const bool replace = (flags & NLM_F_REPLACE) != 0;
  bool first = true;
  for (const Route& way : ways) {
    try {
      insert(there, way, flags);
    } catch (const Refusal& refusal) {
      there.inet6.routes = before;
      if (!replace || first) throw;
      throw Refusal{refusal.error,
                    "multipath route replace failed (check consistency of "
                    "installed routes)"};
    }
    first = false;
    flags = static_cast<std::uint16_t>((flags & ~(NLM_F_EXCL | NLM_F_REPLACE)) | NLM_F_CREATE);
  }
}

}  // namespace

bool may_be_source(const Namespace& there, const IpAddress& address, int device) {
  const bool near = is_link_local(address) || address == *IpAddress::parse("::1");
  return is_own(there, address, near ? device : 0);
}

void check_inet6_gateway(Namespace& there, std::uint32_t table, Nexthop& nexthop) {
  Route route;
  route.to = Prefix::any(Family::inet6);
  route.table = table;
  route.type = RTN_UNICAST;
  check_nexthop(there, route, nexthop);
}

void add_inet6_route(Namespace& there, RouteRequest request) {
  Route& route = request.route;
  const bool own = route.type == RTN_LOCAL && route.protocol == RTPROT_KERNEL;
  if (route.metric == 0 && !own) route.metric = usual_metric;
  if (route.protocol == RTPROT_UNSPEC) route.protocol = RTPROT_BOOT;
  if (route.type == RTN_UNSPEC) route.type = RTN_UNICAST;
  route.scope = RT_SCOPE_UNIVERSE;
  for (const Nexthop& nexthop : route.nexthops) {
    if (!request.multipath || nexthop.gateway) continue;
    throw Refusal{EINVAL, "Device only routes can not be added for IPv6 using the multipath API."};
  }
  there.inet6.tables.insert(route.table);
  std::vector<Route> ways;
  for (const Nexthop& nexthop : route.nexthops) {
    Route& way = ways.emplace_back(route);
    way.nexthops = {nexthop};
    check_nexthop(there, way, way.nexthops.front());
    if (way.source && !may_be_source(there, *way.source, way.nexthops.front().device)) {
      throw Refusal{EINVAL, "Invalid source address"};
    }
  }
  if (request.multipath) return insert_several(there, ways, request.flags);
  insert(there, ways.front(), request.flags);
}

/// ip6_route_del(): the type is not looked at.
void remove_inet6_route(Namespace& there, const RouteRequest& request) {
  std::vector<Route>& routes = there.inet6.routes;
  const Route& asked = request.route;
  const bool has_table = asked.table == RT_TABLE_MAIN || asked.table == RT_TABLE_LOCAL ||
                         there.inet6.tables.contains(asked.table);
  if (!has_table) throw Refusal{ESRCH, "FIB table does not exist"};
  const IpAddress none = IpAddress::any(Family::inet6);
  const auto is_meant = [&](const Route& route, const Nexthop& way) {
    const Nexthop& has = route.nexthops.front();
    return route.table == asked.table && route.to == asked.to &&
           (way.device == 0 || has.device == way.device) &&
           (!way.gateway || has.gateway.value_or(none) == *way.gateway) &&
           (asked.metric == 0 || route.metric == asked.metric) &&
           (asked.protocol == 0 || route.protocol == asked.protocol);
  };
  bool missing = false;
  for (const Nexthop& way : asked.nexthops) {  // ip6_route_multipath_del()
    const auto found =
        std::ranges::find_if(routes, [&](const Route& route) { return is_meant(route, way); });
    if (found == routes.end()) {
      missing = true;
      continue;
    }
    const Route gone = *found;
    if (way.gateway || !gone.sibling) {
      routes.erase(found);
    } else {
      std::erase_if(routes,
                    [&](const Route& other) { return same_place(other, gone) && other.sibling; });
    }
    note_siblings(routes, gone);
  }
  if (!missing) return;
  // Where a table has no default route fib6_null_entry stands in its place, and may not go.
  const Nexthop& way = asked.nexthops.front();
  const bool meets_null_entry = asked.to.length() == 0 && asked.metric == 0 && !way.gateway &&
                                (way.device == 0 || way.device == loopback_of(there)) &&
                                (asked.protocol == 0 || asked.protocol == RTPROT_KERNEL) &&
                                std::ranges::none_of(routes, [&](const Route& route) {
                                  return route.table == asked.table && route.to.length() == 0;
                                });
  throw Refusal{meets_null_entry ? ENOENT : ESRCH, ""};
}

/// cleanup_prefix_route(): the first that leads to the link itself.
void remove_own_inet6(Namespace& there, const Route& route) {
  std::vector<Route>& routes = there.inet6.routes;
  const auto found = std::ranges::find_if(routes, [&](const Route& other) {
    return other.table == route.table && other.to == route.to && !other.nexthops.front().gateway &&
           other.nexthops.front().device == route.nexthops.front().device;
  });
  if (found != routes.end()) routes.erase(found);
}

}  // namespace plumbline::sim
