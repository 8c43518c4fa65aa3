// What goes with links and their addresses.

#include <algorithm>

#include "plumbline/kernel/taken_along.hpp"

namespace plumbline::kernel {

namespace {

bool carries_ipv6(const Link& link) { return link.mtu.value_or(least_ipv6_mtu) >= least_ipv6_mtu; }

}  // namespace

void World::put(const Link& link) {
  links_[key(link)] = link;
  if (link.master) ports_[*link.master].insert(link.name);
  if (const auto lower = lower_link(link)) laid_over_[*lower].insert(link.name);
}

void World::unlist(const Link& link) {
  if (link.master) ports_[*link.master].erase(link.name);
  if (const auto lower = lower_link(link)) laid_over_[*lower].erase(link.name);
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
  const auto name = peer_here(had);
  if (!name || !makes_the_pair(had)) return;
  const auto peer = links_.find(Link::Key{*name});
  if (peer != links_.end() && peer->second.kind == LinkKind::veth) lose_link(*name);
}

void World::lose_link(const IfName& name) {
  const Link lost = links_.at(Link::Key{name});
  lose(lost);
  unlist(lost);
  link_removed(name);
}

/// unregister_netdevice_many_notify() in net/core/dev.c.
void World::link_removed(const IfName& name) {
  // As vxlan_handle_lowerdev_unregister() in drivers/net/vxlan/vxlan_core.c.
  const auto above = laid_over_.extract(name);
  if (!above.empty()) {
    for (const IfName& upper : above.mapped()) lose_link(upper);
  }
  const auto ports = ports_.extract(name);
  if (!ports.empty()) {
    for (const IfName& port : ports.mapped()) lose_port(port);
  }
  if (const auto tunnel = tunnels_.extract(WireGuard::Key{name})) lose(tunnel.mapped());
  lose_others(name, false);
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
  lose_others(name, true);
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
  if (addresses_.contains(key(added))) erase_address(key(added));
  if (added.local.address.family() == Family::inet) {
    // __inet_insert_ifa() in net/ipv4/devinet.c
    Neighbours& others = neighbours_[{added.link, network_of(added)}];
    if (!added.secondary) added.secondary = others.primaries != 0;
    others.addresses.insert(key(added));
    if (!*added.secondary) ++others.primaries;
    without_ipv4_.erase(added.link);
  }
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
  const auto found = neighbours_.find({primary.link, network_of(primary)});
  if (found == neighbours_.end()) return;
  if (promote) {
    for (const Address::Key& where : found->second.addresses) {
      Address& other = addresses_.at(where);
      if (!other.secondary.value_or(false)) continue;
      other.secondary = false;
      ++found->second.primaries;
      return;
    }
    return;
  }
  const std::set<Address::Key> others = found->second.addresses;
  for (const Address::Key& where : others) {
    const Address other = addresses_.at(where);
    if (!other.secondary.value_or(false)) continue;
    lose(other);
    erase_address(where);
    source_gone(other);
  }
}

void World::erase_address(const Address::Key& key) {
  const auto found = addresses_.find(key);
  const Address& address = found->second;
  networks_.remove(network_of(address), address.link);
  const auto others = neighbours_.find({address.link, network_of(address)});
  if (others != neighbours_.end() && others->second.addresses.erase(key) != 0) {
    if (!address.secondary.value_or(false)) --others->second.primaries;
    if (others->second.addresses.empty()) neighbours_.erase(others);
  }
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

}  // namespace plumbline::kernel
