#include "plumbline/plan/world.hpp"

#include <algorithm>

namespace plumbline {

namespace {

constexpr std::uint8_t host_scope = 254;        // RT_SCOPE_HOST, rtnetlink.h
constexpr std::uint32_t least_ipv6_mtu = 1280;  // IPV6_MIN_MTU, net/ipv6.h

bool is_up(const Link& link) { return link.up.value_or(false); }

bool carries_ipv6(const Link& link) { return link.mtu.value_or(least_ipv6_mtu) >= least_ipv6_mtu; }

/// Whether the nexthop makes a network reachable for the gateways of other routes.
bool is_direct(const Route& route, const Nexthop& nexthop) {
  return route.table == main_table && route.type == RouteType::unicast && !nexthop.via &&
         nexthop.dev;
}

std::optional<IfName> link_of(const Sysctl& sysctl) {
  for (const Need& need : needs(sysctl)) {
    if (const auto* link = std::get_if<NeedsLink>(&need)) return link->name;
  }
  return std::nullopt;
}

}  // namespace

World::World(const State& state) {
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : state.of<K>()) put(value);
  });
}

std::vector<Taken> World::carry_out(const Step& step) {
  return carry_out(step.before ? &*step.before : nullptr, step.after ? &*step.after : nullptr);
}

std::vector<Taken> World::carry_out(const Resource* before, const Resource* after) {
  taken_.clear();
  const auto carry = [&]<class K>(const K& value) {
    if (before == nullptr) {
      put(value);
    } else if (after == nullptr) {
      take(value);
    } else {
      change(std::get<K>(*before), value);
    }
  };
  std::visit(carry, after != nullptr ? *after : *before);
  std::ranges::stable_sort(taken_, std::ranges::less{},
                           [](const Taken& taken) { return key_of(taken.before); });
  return std::move(taken_);
}

State World::state() const {
  State state;
  const auto list = [&]<class K>(const auto& values, std::type_identity<K>) {
    state.of<K>().reserve(values.size());
    for (const auto& [ignored, value] : values) state.of<K>().push_back(value);
  };
  list(links_, std::type_identity<Link>{});
  list(addresses_, std::type_identity<Address>{});
  list(routes_, std::type_identity<Route>{});
  list(rules_, std::type_identity<Rule>{});
  list(sysctls_, std::type_identity<Sysctl>{});
  list(chains_, std::type_identity<Chain>{});
  list(shared_, std::type_identity<SharedChain>{});
  // Which of several links the kernel chose is not known: what the plan left open stays so.
  auto route = state.of<Route>().begin();
  for (const auto& [ignored, value] : routes_) {
    const auto given = as_given_.find(&value);
    if (given != as_given_.end()) route->nexthops = given->second;
    ++route;
  }
  return state;
}

// ---- links --------------------------------------------------------------------------------------

void World::put(const Link& link) {
  links_[key(link)] = link;
  if (link.master) ports_[*link.master].insert(link.name);
}

void World::unlist(const Link& link) {
  if (link.master) ports_[*link.master].erase(link.name);
  links_.erase(key(link));
}

void World::change(const Link& before, const Link& after) {
  const auto found = links_.find(key(before));
  if (found == links_.end()) return;
  const Link had = found->second;
  unlist(had);
  put(after);
  // Link's update() shuts a link for a moment, so that it is never in a bridge without isolation.
  const bool isolates = after.port && after.port->isolated.value_or(false);
  const bool shut = is_up(had) && (!is_up(after) || (had.master != after.master && isolates));
  if (shut) {
    links_.at(key(after)).up = false;
    link_down(after.name);
    links_.at(key(after)).up = after.up;
  }
  if (carries_ipv6(had) && !carries_ipv6(after)) ipv6_disabled(after.name);
}

void World::take(const Link& link) {
  const auto found = links_.find(key(link));
  if (found == links_.end()) return;
  const Link had = found->second;
  unlist(had);
  link_removed(had.name);
  // veth_dellink() in drivers/net/veth.c removes both ends. The end that did not make the pair is
  // not removed by itself: its step waits for the other's.
  if (had.kind != LinkKind::veth || !had.veth || !had.veth->peer || !makes_the_pair(had)) return;
  const auto peer = links_.find(Link::Key{*had.veth->peer});
  if (peer == links_.end() || peer->second.kind != LinkKind::veth) return;
  const Link lost = peer->second;
  lose(lost);
  unlist(lost);
  link_removed(lost.name);
}

/// unregister_netdevice_many_notify() in net/core/dev.c.
void World::link_removed(const IfName& name) {
  const auto ports = ports_.extract(name);
  if (!ports.empty()) {
    for (const IfName& port : ports.mapped()) lose_port(port);
  }
  for (const Address& address : addresses_of(name)) {
    lose(address);
    erase_address(key(address));
    // IPv6 routes keep their source when an address goes with its link (addrconf_ifdown()).
    if (address.local.address.family() == Family::inet) source_gone(address);
  }
  for (const auto& route : routes_of(name)) {
    // fib_sync_down_dev() in net/ipv4/fib_semantics.c: one nexthop unregistered, all are dead.
    if (route->second.family() == Family::inet) {
      lose_route(route);
    } else {
      drop_nexthops(route, name);
    }
  }
  for (const Sysctl::Key& path : sysctls_by_link_[name]) {
    lose(sysctls_.at(path));
    sysctls_.erase(path);
  }
  sysctls_by_link_.erase(name);
  without_ipv4_.erase(name);
}

void World::lose_port(const IfName& name) {
  Link& port = links_.at(Link::Key{name});
  const Link before = port;
  port.master.reset();
  port.port.reset();
  taken_.push_back({before, port});
}

/// IPv4 keeps the addresses and flushes routes (fib_netdev_event()); IPv6 flushes both unless
/// keep_addr_on_down is set (addrconf_ifdown()).
void World::link_down(const IfName& name) {
  for (const Address& address : addresses_of(name)) {
    if (address.local.address.family() != Family::inet6) continue;
    lose(address);
    erase_address(key(address));
  }
  flush_dead(name, Family::inet, false);
  flush_dead(name, Family::inet6, true);
}

/// addrconf_notify() in net/ipv6/addrconf.c: an MTU too small for IPv6 ends it on the link.
void World::ipv6_disabled(const IfName& name) {
  for (const Address& address : addresses_of(name)) {
    if (address.local.address.family() != Family::inet6) continue;
    lose(address);
    erase_address(key(address));
  }
  for (const auto& route : routes_of(name)) {
    if (route->second.family() == Family::inet6) drop_nexthops(route, name);
  }
}

// ---- addresses ----------------------------------------------------------------------------------

void World::put(const Address& address) {
  Address added = address;
  if (added.local.address.family() == Family::inet) {
    // __inet_insert_ifa() in net/ipv4/devinet.c
    if (!added.secondary) {
      const auto others = addresses_of(added.link);
      added.secondary = std::ranges::any_of(others, [&](const Address& other) {
        return !other.secondary.value_or(false) && network_of(other) == network_of(added);
      });
    }
    without_ipv4_.erase(added.link);
  }
  if (addresses_.contains(key(added))) erase_address(key(added));
  ++locals_[added.local.address];
  networks_.add(network_of(added), added.link);
  addresses_[key(added)] = added;
}

void World::take(const Address& address) {
  const auto found = addresses_.find(key(address));
  if (found == addresses_.end()) return;
  const Address had = found->second;
  erase_address(key(had));
  source_gone(had);
  if (had.local.address.family() != Family::inet) return;
  if (!had.secondary.value_or(false)) secondaries_of(had);
  if (!has_ipv4(had.link)) last_ipv4_gone(had.link);
}

/// __inet_del_ifa() in net/ipv4/devinet.c: same mask and network.
void World::secondaries_of(const Address& primary) {
  const auto link = links_.find(Link::Key{primary.link});
  const bool promote = link != links_.end() && link->second.promote_secondaries.value_or(false);
  for (const Address& other : addresses_of(primary.link)) {
    if (!other.secondary.value_or(false) || network_of(other) != network_of(primary)) continue;
    if (promote) {
      addresses_.at(key(other)).secondary = false;
      return;
    }
    lose(other);
    erase_address(key(other));
    source_gone(other);
  }
}

void World::erase_address(const Address::Key& key) {
  const auto found = addresses_.find(key);
  const Address& address = found->second;
  networks_.remove(network_of(address), address.link);
  const auto count = locals_.find(address.local.address);
  if (--count->second == 0) locals_.erase(count);
  addresses_.erase(found);
}

/// IPv4: fib_sync_down_addr() takes the routes of the main table only. IPv6: rt6_remove_prefsrc()
/// leaves the routes of every table without their source.
void World::source_gone(const Address& address) {
  if (locals_.contains(address.local.address)) return;
  const auto found = routes_by_src_.find(address.local.address);
  if (found == routes_by_src_.end()) return;
  const auto routes = found->second;
  for (const auto& [ignored, route] : routes) {
    if (route->second.family() == Family::inet6) {
      Route without = route->second;
      without.src.reset();
      taken_.push_back({route->second, without});
      erase(route);
      put(without);
    } else if (route->second.table == main_table) {
      lose_route(route);
    }
  }
}

bool World::has_ipv4(const IfName& link) const {
  const auto first = addresses_.lower_bound(Address::Key{link, IpAddress(), 0, std::nullopt});
  return first != addresses_.end() && first->first.link == link &&
         first->first.local.family() == Family::inet;
}

/// fib_inetaddr_event() in net/ipv4/fib_frontend.c: without any address, fib_disable_ip().
void World::last_ipv4_gone(const IfName& name) {
  without_ipv4_.insert(name);
  flush_dead(name, Family::inet, true);
}

std::vector<Address> World::addresses_of(const IfName& link) const {
  std::vector<Address> found;
  auto it = addresses_.lower_bound(Address::Key{link, IpAddress(), 0, std::nullopt});
  for (; it != addresses_.end() && it->first.link == link; ++it) found.push_back(it->second);
  return found;
}

// ---- routes -------------------------------------------------------------------------------------

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
    if (!host_scope_too && value.scope == host_scope) continue;
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

// ---- the rest -----------------------------------------------------------------------------------

void World::take(const Rule& rule) {
  const auto found = rules_.find(key(rule));
  if (found != rules_.end()) rules_.erase(found);
}

void World::put(const Sysctl& sysctl) {
  sysctls_[key(sysctl)] = sysctl;
  if (const auto link = link_of(sysctl)) sysctls_by_link_[*link].insert(key(sysctl));
}

void World::take(const Sysctl& sysctl) {
  if (const auto link = link_of(sysctl)) sysctls_by_link_[*link].erase(key(sysctl));
  sysctls_.erase(key(sysctl));
}

/// inet_forward_change() in net/ipv4/devinet.c and addrconf_forward_change(): every `forwarding`
/// follows, and `accept_redirects` is its opposite. Only a change does this.
void World::change(const Sysctl& before, const Sysctl& after) {
  const auto found = sysctls_.find(key(before));
  const bool changes = found == sysctls_.end() || found->second.value != after.value;
  put(after);
  if (!changes) return;
  std::vector<IfName> names;
  names.reserve(links_.size());
  for (const auto& [link, ignored] : links_) names.push_back(link.name);
  for (const std::string& path : changed_along(after, names)) {
    const auto along = sysctls_.find(Sysctl::Key{path});
    if (along == sysctls_.end() || path == after.path) continue;
    const Sysctl had = along->second;
    const bool opposite = path.ends_with("/accept_redirects");
    along->second.value = opposite ? (after.value == "0" ? "1" : "0") : after.value;
    taken_.push_back({had, along->second});
  }
}

/// The chain is not ours and stays; only our rules leave it.
void World::take(const SharedChain& chain) {
  const auto found = shared_.find(key(chain));
  if (found == shared_.end()) return;
  found->second.insert.clear();
  found->second.append.clear();
  found->second.strays.clear();
  found->second.stray_places.clear();
}

/// A chain that carries our mark is shared with nobody.
void World::put(const Chain& chain) {
  chains_[key(chain)] = chain;
  if (chain.marked) shared_.erase(SharedChain::Key{chain.family, chain.table, chain.name});
}

/// Where no foreign rule is, the top of the chain and its end are one place.
void World::put(const SharedChain& chain) {
  SharedChain& added = shared_[key(chain)] = chain;
  if (!added.only_ours) return;
  added.insert.insert(added.insert.end(), added.append.begin(), added.append.end());
  added.append.clear();
}

void World::change(const SharedChain& before, const SharedChain& after) {
  const auto found = shared_.find(key(before));
  SharedChain changed = after;
  if (found != shared_.end()) {
    changed.only_ours = found->second.only_ours;
    if (!changed.policy) changed.policy = found->second.policy;
  }
  changed.strays.clear();
  changed.stray_places.clear();
  put(changed);
}

}  // namespace plumbline
