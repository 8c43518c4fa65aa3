#include "tests/support/kernel_model.hpp"

#include <algorithm>
#include <cstdio>

namespace plumbline::testing {

namespace {

template <class K>
std::string insert(State& state, const K& value) {
  state.of<K>().push_back(value);
  state.sort();
  return {};
}

template <class K>
K* find(State& state, const typename K::Key& wanted) {
  for (K& value : state.of<K>()) {
    if (key(value) == wanted) return &value;
  }
  return nullptr;
}

template <class K>
std::string replace(State& state, const K& before, const K& after) {
  K* there = find<K>(state, key(before));
  if (there == nullptr) return "ENOENT: " + format(key(before));
  *there = after;
  return {};
}

template <class K>
std::string erase(State& state, const K& value) {
  if (find<K>(state, key(value)) == nullptr) return "ENOENT: " + format(key(value));
  std::erase_if(state.of<K>(), [&](const K& other) { return key(other) == key(value); });
  return {};
}

template <class T>
void set(std::optional<T>& value, const std::optional<T>& want) {
  if (want) value = want;
}

/// A setting that every link has from its making on.
Sysctl rp_filter(const IfName& link) {
  return {"net/ipv4/conf/" + format(link) + "/rp_filter", "0"};
}

bool is_ipv4(const Address& address) { return address.local.address.family() == Family::inet; }

bool same_network(const Address& a, const Address& b) {
  return a.link == b.link && is_ipv4(a) && is_ipv4(b) && a.local.length == b.local.length &&
         a.local.network() == b.local.network();
}

}  // namespace

Step inverse(const Step& step) {
  Step back = step;
  std::swap(back.before, back.after);
  if (step.action == Action::create) back.action = Action::remove;
  if (step.action == Action::remove) back.action = Action::create;
  return back;
}

std::string KernelModel::carry_out(const Step& step) {
  switch (step.action) {
    case Action::create:
      return create(*step.after);
    case Action::remove:
      return std::visit([&](const auto& value) { return destroy(value); }, *step.before);
    case Action::update:
      break;
  }
  return std::visit(
      [&]<class K>(const K& after) { return change(std::get<K>(*step.before), after); },
      *step.after);
}

std::string KernelModel::create(const Resource& value) {
  return std::visit([&](const auto& made) { return make(made); }, value);
}

// ---- links --------------------------------------------------------------------------------------

Link* KernelModel::link(const IfName& name) { return find<Link>(state_, Link::Key{name}); }

void KernelModel::add_physical(const std::string& name) {
  Link link;
  link.name = *IfName::parse(name);
  link.kind = LinkKind::tap;
  if (!make(link).empty()) return;
  Link* made = this->link(link.name);
  made->kind = LinkKind::physical;
  made->tap.reset();
  made->up = true;
}

std::string KernelModel::make(const Link& want) {
  const bool exists = link(want.name) != nullptr;
  if (want.kind == LinkKind::physical) return "EINVAL: a physical link is made by nobody";
  if (makes_the_pair(want) == exists) return "EEXIST or ENODEV: " + format(want.name);
  Link made;
  made.name = want.name;
  made.kind = want.kind;
  made.marked = want.marked;
  made.up = false;
  made.mtu = 1500;
  char mac[18];
  std::snprintf(mac, sizeof mac, "02:00:00:00:%02x:%02x", macs_ >> 8U & 0xffU, macs_ & 0xffU);
  ++macs_;
  made.mac = Mac::parse(mac);
  made.tx_queue_length = 1000;
  made.alias = "";
  made.carrier = false;
  made.promote_secondaries = false;
  made.has_qdisc = false;
  if (want.kind == LinkKind::bridge) made.bridge = BridgeOptions{false, 1500, 30000, false, true};
  if (want.kind == LinkKind::tap) made.tap = TapOptions{~0U, ~0U, false, false};
  if (want.kind == LinkKind::veth) {
    made.veth = want.veth;
    if (exists) {
      if (link(want.name)->kind != LinkKind::veth) return "EEXIST: " + format(want.name);
      made.mac = link(want.name)->mac;
      std::erase_if(state_.of<Link>(), [&](const Link& link) { return link.name == want.name; });
    } else if (want.veth && want.veth->peer) {
      if (link(*want.veth->peer) != nullptr) return "EEXIST: " + format(*want.veth->peer);
      Link peer = made;
      peer.name = *want.veth->peer;
      peer.veth->peer = want.name;
      peer.alias.reset();
      insert(state_, peer);
    }
  }
  Link configured = made;
  const std::string refused = configure(configured, want);
  if (!refused.empty()) return refused;
  insert(state_, configured);
  return change(rp_filter(want.name), rp_filter(want.name));
}

std::string KernelModel::configure(Link& link, const Link& want) {
  set(link.up, want.up);
  set(link.mtu, want.mtu);
  set(link.mac, want.mac);
  set(link.tx_queue_length, want.tx_queue_length);
  set(link.alias, want.alias);
  link.marked = want.marked;
  if (want.master != link.master) {
    link.master = want.master;
    link.port.reset();
    if (want.master) {
      Link* bridge = this->link(*want.master);
      if (bridge == nullptr || bridge->kind != LinkKind::bridge) return "ENODEV: the master";
      link.port = PortSettings{false, true, false, 100, 32};
    }
  }
  if (want.bridge && link.bridge) {
    set(link.bridge->stp, want.bridge->stp);
    set(link.bridge->forward_delay, want.bridge->forward_delay);
    set(link.bridge->ageing_time, want.bridge->ageing_time);
    set(link.bridge->vlan_filtering, want.bridge->vlan_filtering);
    set(link.bridge->multicast_snooping, want.bridge->multicast_snooping);
  }
  if (want.tap && link.tap) {
    set(link.tap->owner, want.tap->owner);
    set(link.tap->group, want.tap->group);
  }
  if (want.port) {
    if (!link.port) return "EOPNOTSUPP: not a port";
    set(link.port->isolated, want.port->isolated);
    set(link.port->learning, want.port->learning);
    set(link.port->hairpin, want.port->hairpin);
    set(link.port->cost, want.port->cost);
    set(link.port->priority, want.port->priority);
  }
  return {};
}

std::string KernelModel::change(const Link& before, const Link& after) {
  Link* there = link(before.name);
  if (there == nullptr) return "ENODEV: " + format(before.name);
  if (there->kind != after.kind) return "EINVAL: another kind";
  Link configured = *there;
  const std::string refused = configure(configured, after);
  if (!refused.empty()) return refused;
  const bool was_up = there->up == true;
  const bool isolates = after.port && after.port->isolated == true;
  const bool shuts =
      was_up && (configured.up != true || (there->master != configured.master && isolates));
  const bool small = *there->mtu >= 1280 && *configured.mtu < 1280;
  *there = configured;
  if (shuts) {
    there->up = false;
    shut(before.name);
    link(before.name)->up = configured.up;
  }
  if (small) drop_ipv6(before.name, true);
  return {};
}

std::string KernelModel::destroy(const Link& link) {
  if (this->link(link.name) == nullptr) return "ENODEV: " + format(link.name);
  if (link.kind == LinkKind::physical) return "EOPNOTSUPP: a physical link is removed by nobody";
  if (!makes_the_pair(link)) return {};
  const std::optional<IfName> peer = link.veth ? link.veth->peer : std::nullopt;
  unregister(link.name);
  if (peer && this->link(*peer) != nullptr) unregister(*peer);
  return {};
}

void KernelModel::unregister(const IfName& name) {
  std::erase_if(state_.of<Link>(), [&](const Link& link) { return link.name == name; });
  for (Link& port : state_.of<Link>()) {
    if (port.master != name) continue;
    port.master.reset();
    port.port.reset();
  }
  std::vector<Address> gone;
  for (const Address& address : state_.of<Address>()) {
    if (address.link == name && is_ipv4(address)) gone.push_back(address);
  }
  std::erase_if(state_.of<Route>(), [&](const Route& route) {
    return route.family() == Family::inet &&
           std::ranges::any_of(route.nexthops, [&](const Nexthop& n) { return n.dev == name; });
  });
  for (const Address& address : gone) forget_address(address);
  drop_ipv6(name, true);
  const std::string part = "/" + format(name) + "/";
  std::erase_if(state_.of<Sysctl>(),
                [&](const Sysctl& sysctl) { return sysctl.path.find(part) != std::string::npos; });
  lost_ipv4_.erase(name);
}

void KernelModel::shut(const IfName& name) {
  flush_dead_routes(name, Family::inet, false);
  drop_ipv6(name, false);
}

/// The addresses go silently here: their routes keep them as source.
void KernelModel::drop_ipv6(const IfName& name, bool unregistered) {
  std::erase_if(state_.of<Address>(),
                [&](const Address& address) { return address.link == name && !is_ipv4(address); });
  if (!unregistered) return flush_dead_routes(name, Family::inet6, true);
  for (Route& route : state_.of<Route>()) {
    if (route.family() != Family::inet6 || route.nexthops.empty()) continue;
    std::erase_if(route.nexthops, [&](const Nexthop& nexthop) { return nexthop.dev == name; });
    if (route.nexthops.empty()) route.protocol = 255;  // to be swept below
  }
  std::erase_if(state_.of<Route>(), [](const Route& route) { return route.protocol == 255; });
}

bool KernelModel::is_dead(const Nexthop& nexthop, Family family) {
  if (!nexthop.dev) return false;
  const Link* dev = link(*nexthop.dev);
  return dev == nullptr || dev->up != true ||
         (family == Family::inet && lost_ipv4_.contains(*nexthop.dev));
}

void KernelModel::flush_dead_routes(const IfName& name, Family family, bool all_scopes) {
  std::erase_if(state_.of<Route>(), [&](const Route& route) {
    if (route.family() != family || (!all_scopes && route.scope == 254)) return false;
    const bool through =
        std::ranges::any_of(route.nexthops, [&](const Nexthop& n) { return n.dev == name; });
    return through && std::ranges::all_of(route.nexthops, [&](const Nexthop& nexthop) {
             return is_dead(nexthop, family);
           });
  });
}

// ---- addresses ----------------------------------------------------------------------------------

std::string KernelModel::make(const Address& want) {
  if (link(want.link) == nullptr) return "ENODEV: " + format(want.link);
  if (find<Address>(state_, key(want)) != nullptr) return "EEXIST: " + format(key(want));
  Address made = want;
  if (is_ipv4(want)) {
    made.secondary = std::ranges::any_of(state_.of<Address>(), [&](const Address& other) {
      return same_network(other, want) && other.secondary == false;
    });
    lost_ipv4_.erase(want.link);
  } else {
    made.secondary.reset();
    made.dad_failed = false;
  }
  return insert(state_, made);
}

std::string KernelModel::change(const Address& before, const Address& after) {
  if (before.local != after.local) return "EINVAL: another address";
  return replace(state_, before, after);
}

std::string KernelModel::destroy(const Address& gone) {
  const Address* there = find<Address>(state_, key(gone));
  if (there == nullptr) return "EADDRNOTAVAIL: " + format(key(gone));
  const Address had = *there;
  const Link* dev = link(had.link);
  if (is_ipv4(had) && had.secondary == false) {
    std::vector<Address> followers;
    for (const Address& other : state_.of<Address>()) {
      if (same_network(other, had) && other.secondary == true) followers.push_back(other);
    }
    forget_address(had);
    if (dev->promote_secondaries == true) {
      if (!followers.empty()) {
        find<Address>(state_, key(followers.front()))->secondary = false;
      }
    } else {
      for (const Address& follower : followers) forget_address(follower);
    }
  } else {
    forget_address(had);
  }
  const bool ipv4_left = std::ranges::any_of(state_.of<Address>(), [&](const Address& other) {
    return other.link == had.link && is_ipv4(other);
  });
  if (is_ipv4(had) && !ipv4_left) {
    lost_ipv4_.insert(had.link);
    flush_dead_routes(had.link, Family::inet, true);
  }
  return {};
}

void KernelModel::forget_address(const Address& gone) {
  std::erase_if(state_.of<Address>(),
                [&](const Address& other) { return key(other) == key(gone); });
  const bool elsewhere = std::ranges::any_of(state_.of<Address>(), [&](const Address& other) {
    return other.local.address == gone.local.address;
  });
  if (elsewhere) return;
  std::erase_if(state_.of<Route>(), [&](const Route& route) {
    return is_ipv4(gone) && route.table == main_table && route.src == gone.local.address;
  });
  for (Route& route : state_.of<Route>()) {
    if (!is_ipv4(gone) && route.src == gone.local.address) route.src.reset();
  }
}

// ---- routes and rules ---------------------------------------------------------------------------

bool KernelModel::reaches(const IpAddress& gateway, const IfName& dev, TableId table) {
  for (const Address& address : state_.of<Address>()) {
    if (address.link == dev && address.local.network().contains(gateway)) return true;
  }
  for (const Route& route : state_.of<Route>()) {
    if (route.type != RouteType::unicast || !route.to.contains(gateway)) continue;
    if (route.table != main_table && route.table != table) continue;
    for (const Nexthop& nexthop : route.nexthops) {
      if (!nexthop.via && nexthop.dev == dev) return true;
    }
  }
  return false;
}

std::string KernelModel::refusal(Route& route) {
  for (Nexthop& nexthop : route.nexthops) {
    if (!nexthop.dev) {
      for (const Link& link : state_.of<Link>()) {
        if (link.up == true && reaches(*nexthop.via, link.name, route.table)) {
          nexthop.dev = link.name;
          break;
        }
      }
    }
    if (!nexthop.dev) return "ENETUNREACH: no link to the gateway of " + format(key(route));
    const Link* dev = link(*nexthop.dev);
    if (dev == nullptr) return "ENODEV: " + format(*nexthop.dev);
    if (dev->up != true) return "ENETDOWN: " + format(*nexthop.dev);
    if (nexthop.via && !nexthop.onlink && !reaches(*nexthop.via, *nexthop.dev, route.table)) {
      return "ENETUNREACH: " + format(key(route)) + " via " + format(*nexthop.via);
    }
  }
  const auto is_src = [&](const Address& address) { return address.local.address == route.src; };
  if (route.src && std::ranges::none_of(state_.of<Address>(), is_src)) {
    return "EINVAL: the source of " + format(key(route)) + " is no address of ours";
  }
  std::ranges::sort(route.nexthops);
  return {};
}

std::string KernelModel::make(const Route& want) {
  if (find<Route>(state_, key(want)) != nullptr) return "EEXIST: " + format(key(want));
  Route made = want;
  const std::string refused = refusal(made);
  return refused.empty() ? insert(state_, made) : refused;
}

std::string KernelModel::change(const Route& before, const Route& after) {
  Route changed = after;
  const std::string refused = refusal(changed);
  return refused.empty() ? replace(state_, before, changed) : refused;
}

std::string KernelModel::destroy(const Route& route) { return erase(state_, route); }

std::string KernelModel::make(const Rule& rule) {
  if (find<Rule>(state_, key(rule)) != nullptr) return "EEXIST: " + format(key(rule));
  rules_.push_back(rule);
  return insert(state_, rule);
}

std::string KernelModel::change(const Rule& before, const Rule&) {
  return "EOPNOTSUPP: " + format(key(before));
}

/// Deletes the first that passes.
std::string KernelModel::destroy(const Rule& rule) {
  const auto hit = std::ranges::find_if(
      rules_, [&](const Rule& other) { return other == rule || removal_may_hit(rule, other); });
  if (hit == rules_.end()) return "ENOENT: " + format(key(rule));
  if (*hit != rule) return "hits " + format(key(*hit)) + " instead of " + format(key(rule));
  rules_.erase(hit);
  return erase(state_, rule);
}

// ---- sysctls ------------------------------------------------------------------------------------

std::string KernelModel::make(const Sysctl& sysctl) {
  for (const Need& need : needs(sysctl)) {
    if (link(std::get<NeedsLink>(need).name) == nullptr) return "ENOENT: " + sysctl.path;
  }
  return change(sysctl, sysctl);
}

std::string KernelModel::change(const Sysctl& before, const Sysctl& after) {
  if (find<Sysctl>(state_, key(before)) == nullptr) return insert(state_, after);
  return replace(state_, before, after);
}

std::string KernelModel::destroy(const Sysctl&) { return {}; }

// ---- chains -------------------------------------------------------------------------------------

std::string KernelModel::jumps_nowhere(Family family, const std::string& table,
                                       const std::vector<std::string>& rules) {
  for (const std::string& rule : rules) {
    for (const std::string& target : jumps_of(rule)) {
      if (target == "ACCEPT" || target == "DROP" || target == "RETURN") continue;
      if (find<Chain>(state_, {family, table, target}) == nullptr) return "ENOENT: " + target;
    }
  }
  return {};
}

std::string KernelModel::make(const Chain& chain) {
  if (find<Chain>(state_, key(chain)) != nullptr) return "EEXIST: " + format(key(chain));
  const std::string refused = jumps_nowhere(chain.family, chain.table, chain.rules);
  if (!refused.empty()) return refused;
  if (!chain.marked) {
    SharedChain shared{chain.family, chain.table, chain.name, {}, {}, {}, {}, {}, true};
    shared.only_ours = chain.rules.empty();
    insert(state_, shared);
  }
  return insert(state_, chain);
}

std::string KernelModel::change(const Chain& before, const Chain& after) {
  const std::string refused = jumps_nowhere(after.family, after.table, after.rules);
  return refused.empty() ? replace(state_, before, after) : refused;
}

std::string KernelModel::destroy(const Chain& chain) {
  const auto jumps_here = [&](const std::string& rule) {
    const auto targets = jumps_of(rule);
    return std::ranges::find(targets, chain.name) != targets.end();
  };
  for (const Chain& other : state_.of<Chain>()) {
    if (std::ranges::any_of(other.rules, jumps_here)) return "EBUSY: " + format(key(chain));
  }
  for (const SharedChain& other : state_.of<SharedChain>()) {
    if (std::ranges::any_of(other.insert, jumps_here)) return "EBUSY: " + format(key(chain));
    if (std::ranges::any_of(other.append, jumps_here)) return "EBUSY: " + format(key(chain));
  }
  return erase(state_, chain);
}

std::string KernelModel::make(const SharedChain& want) {
  const SharedChain* there = find<SharedChain>(state_, key(want));
  if (there != nullptr) return change(*there, want);
  if (!is_builtin_chain(want.table, want.name)) {
    if (find<Chain>(state_, {want.family, want.table, want.name}) == nullptr) {
      return "ENOENT: " + format(key(want));
    }
  }
  SharedChain made = want;
  if (!made.policy && is_builtin_chain(want.table, want.name)) made.policy = "ACCEPT";
  made.insert.insert(made.insert.end(), made.append.begin(), made.append.end());
  made.append.clear();
  const std::string refused = jumps_nowhere(made.family, made.table, made.insert);
  return refused.empty() ? insert(state_, made) : refused;
}

std::string KernelModel::change(const SharedChain& before, const SharedChain& after) {
  SharedChain* there = find<SharedChain>(state_, key(before));
  if (there == nullptr) return "ENOENT: " + format(key(before));
  for (const auto* rules : {&after.insert, &after.append}) {
    const std::string refused = jumps_nowhere(after.family, after.table, *rules);
    if (!refused.empty()) return refused;
  }
  if (after.policy) there->policy = after.policy;
  there->insert = after.insert;
  there->append = after.append;
  there->strays.clear();
  there->stray_places.clear();
  if (there->only_ours) {
    there->insert.insert(there->insert.end(), there->append.begin(), there->append.end());
    there->append.clear();
  }
  return {};
}

std::string KernelModel::destroy(const SharedChain& chain) {
  SharedChain without = chain;
  without.policy.reset();
  without.insert.clear();
  without.append.clear();
  return change(chain, without);
}

}  // namespace plumbline::testing
