// Routes, and when they are dead.

#include <linux/rtnetlink.h>

#include <algorithm>

#include "plumbline/kernel/taken_along.hpp"

namespace plumbline::kernel {

namespace {

/// Whether the nexthop makes a network reachable for the gateways of other routes.
bool is_direct(const Route& route, const Nexthop& nexthop) {
  return route.table == main_table && route.type == RouteType::unicast && !nexthop.via &&
         nexthop.dev;
}

}  // namespace

void World::put(const Route& route) {
  const auto it = routes_.emplace(key(route), route);
  Route& added = it->second;
  const auto is_usable = [&](const IfName& name) {
    const auto link = links_.find(Link::Key{name});
    return link != links_.end() && is_up(link->second);
  };
  for (Nexthop& nexthop : added.nexthops) {
    if (!nexthop.dev && nexthop.via) {
      nexthop.dev = networks_.link_to(*nexthop.via, is_usable);
      if (nexthop.dev) as_given_[&added] = route.nexthops;
    }
    if (nexthop.dev) routes_by_dev_[*nexthop.dev][&added] = it;
    if (is_direct(added, nexthop)) networks_.add(added.to, *nexthop.dev);
  }
  if (added.src) routes_by_src_[*added.src][&added] = it;
}

void World::take(const Route& route) {
  const auto [first, last] = routes_.equal_range(key(route));
  if (first == last) return;
  // Equal keys happen only among foreign routes, or ours beside one: the protocol tells them apart.
  const auto same = std::find_if(first, last, [&](const auto& entry) {
    return entry.second.protocol == route.protocol && entry.second.nexthops == route.nexthops;
  });
  const auto owner = std::find_if(
      first, last, [&](const auto& entry) { return entry.second.protocol == route.protocol; });
  erase(same != last ? same : owner != last ? owner : first);
}

World::Routes::iterator World::erase(Routes::iterator route) {
  const Route& value = route->second;
  for (const Nexthop& nexthop : value.nexthops) {
    if (nexthop.dev) routes_by_dev_[*nexthop.dev].erase(&value);
    if (is_direct(value, nexthop)) networks_.remove(value.to, *nexthop.dev);
  }
  as_given_.erase(&value);
  if (value.src) routes_by_src_[*value.src].erase(&value);
  return routes_.erase(route);
}

void World::lose_route(Routes::iterator route) {
  lose(route->second);
  erase(route);
}

/// fib6_ifdown() and rt6_remove_exception… in net/ipv6/route.c: siblings live on without it.
void World::drop_nexthops(Routes::iterator route, const IfName& dev) {
  Route rest = route->second;
  std::erase_if(rest.nexthops, [&](const Nexthop& nexthop) { return nexthop.dev == dev; });
  if (rest.nexthops.empty()) return lose_route(route);
  taken_.push_back({route->second, rest});
  erase(route);
  put(rest);
}

/// A route goes when all its nexthops are dead (fib_sync_down_dev(), rt6_multipath_dead_count()).
void World::flush_dead(const IfName& dev, Family family, bool host_scope_too) {
  for (const auto& route : routes_of(dev)) {
    const Route& value = route->second;
    if (value.family() != family) continue;
    if (!host_scope_too && value.scope == RT_SCOPE_HOST) continue;
    if (std::ranges::all_of(value.nexthops,
                            [&](const Nexthop& nexthop) { return dead(nexthop, family); })) {
      lose_route(route);
    }
  }
}

bool World::dead(const Nexthop& nexthop, Family family) const {
  if (!nexthop.dev) return false;
  const auto link = links_.find(Link::Key{*nexthop.dev});
  if (link == links_.end() || !is_up(link->second)) return true;
  return family == Family::inet && without_ipv4_.contains(*nexthop.dev);
}

std::vector<World::Routes::iterator> World::routes_of(const IfName& dev) {
  std::vector<Routes::iterator> found;
  const auto routes = routes_by_dev_.find(dev);
  if (routes == routes_by_dev_.end()) return found;
  for (const auto& [ignored, route] : routes->second) found.push_back(route);
  return found;
}

}  // namespace plumbline::kernel
