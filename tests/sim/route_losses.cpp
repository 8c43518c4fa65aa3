// Routes that die and live with their links: fib_sync_down_dev() in net/ipv4/fib_semantics.c,
// fib6_ifdown() in net/ipv6/route.c.

#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "tests/sim/routes.hpp"

namespace plumbline::sim {

namespace {

constexpr unsigned dead = RTNH_F_DEAD | RTNH_F_LINKDOWN;

bool goes_over(const Route& route, int device) {
  return std::ranges::any_of(route.nexthops,
                             [&](const Nexthop& nexthop) { return nexthop.device == device; });
}

void lose_inet(std::vector<Route>& routes, int device, Loss loss) {
  std::erase_if(routes, [&](Route& route) {
    if (!goes_over(route, device)) return false;
    if (loss == Loss::for_good) return true;
    bool all = true;
    for (Nexthop& nexthop : route.nexthops) {
      // What is local stays while its address does.
      const bool stays = loss == Loss::of_link && nexthop.scope == RT_SCOPE_NOWHERE;
      if (nexthop.device == device && !stays) nexthop.flags |= dead;
      all = all && (nexthop.flags & RTNH_F_DEAD) != 0;
    }
    return all;
  });
}

void lose_inet6(std::vector<Route>& routes, int device, Loss loss) {
  if (loss == Loss::for_good) {
    std::erase_if(routes, [&](const Route& route) { return goes_over(route, device); });
    for (Route& route : routes) {
      if (!route.sibling) continue;
      route.sibling = std::ranges::count_if(routes, [&](const Route& other) {
                        return other.sibling && same_place(other, route);
                      }) > 1;
    }
    return;
  }
  for (Route& route : routes) {
    if (goes_over(route, device)) route.nexthops.front().flags |= dead;
  }
  std::erase_if(routes, [&](const Route& route) {
    if ((route.nexthops.front().flags & RTNH_F_DEAD) == 0) return false;
    return std::ranges::none_of(routes, [&](const Route& other) {
      return route.sibling && other.sibling && same_place(other, route) &&
             (other.nexthops.front().flags & RTNH_F_DEAD) == 0;
    });
  });
}

}  // namespace

void lose_routes(Namespace& there, Family family, int device, Loss loss) {
  if (family == Family::inet) return lose_inet(there.inet.routes, device, loss);
  lose_inet6(there.inet6.routes, device, loss);
}

/// fib_sync_up() and fib6_ifup()
void revive_routes(Namespace& there, Family family, int index) {
  const Device& device = there.devices.at(index);
  if (!device.is(IFF_UP)) return;
  for (Route& route : there.routing(family).routes) {
    for (Nexthop& nexthop : route.nexthops) {
      if (nexthop.device != index) continue;
      nexthop.flags &= static_cast<std::uint8_t>(~RTNH_F_DEAD);
      if (device.carrier) nexthop.flags &= static_cast<std::uint8_t>(~RTNH_F_LINKDOWN);
    }
  }
}

void source_gone(Namespace& there, const IpAddress& address) {
  if (address.family() == Family::inet) {  // fib_sync_down_addr()
    std::erase_if(there.inet.routes, [&](const Route& route) {
      return route.table == RT_TABLE_MAIN && route.source == address;
    });
    return;
  }
  for (Route& route : there.inet6.routes) {  // rt6_remove_prefsrc()
    if (route.source != address) continue;
    if (!may_be_source(there, address, route.nexthops.front().device)) route.source.reset();
  }
}

}  // namespace plumbline::sim
