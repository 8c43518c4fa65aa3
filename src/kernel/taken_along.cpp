#include "plumbline/kernel/taken_along.hpp"

#include <algorithm>

namespace plumbline::kernel {

namespace {

/// The link that the value needs, where that has to be up if `up`.
template <class K>
std::optional<IfName> link_under(const K& value, bool up) {
  for (const Need& need : needs(value)) {
    const auto* link = std::get_if<NeedsLink>(&need);
    if (link != nullptr && (link->up || !up)) return link->name;
  }
  return std::nullopt;
}

}  // namespace

template <class K>
void World::put(const K& value) {
  others_.insert_or_assign(key(value), value);
  if (const auto link = link_under(value, false)) others_by_link_[*link].insert(key(value));
}

template <class K>
void World::take(const K& value) {
  others_.erase(key(value));
  if (const auto link = link_under(value, false)) others_by_link_[*link].erase(key(value));
}

void World::lose_others(const IfName& link, bool goes_down) {
  const auto found = others_by_link_.find(link);
  if (found == others_by_link_.end()) return;
  const std::set<Key> keys = found->second;
  for (const Key& key : keys) {
    const Resource resource = others_.at(key);
    const bool goes = std::visit(
        [&](const auto& value) { return link_under(value, goes_down) == link; }, resource);
    if (!goes) continue;
    lose(resource);
    others_.erase(key);
    found->second.erase(key);
  }
}

World::World(const State& state) {
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : state.of<K>()) put(value);
  });
  for (const auto& [ignored, route] : routes_) {
    if (route.family() != Family::inet) continue;
    for (const Nexthop& nexthop : route.nexthops) {
      if (nexthop.observed.dead && nexthop.dev) without_ipv4_.insert(*nexthop.dev);
    }
  }
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
  list(tunnels_, std::type_identity<WireGuard>{});
  list(addresses_, std::type_identity<Address>{});
  list(routes_, std::type_identity<Route>{});
  list(rules_, std::type_identity<Rule>{});
  list(sysctls_, std::type_identity<Sysctl>{});
  list(chains_, std::type_identity<Chain>{});
  list(shared_, std::type_identity<SharedChain>{});
  for (const auto& [ignored, resource] : others_) {
    std::visit([&]<class K>(const K& value) { state.of<K>().push_back(value); }, resource);
  }
  // Which of several links the kernel chose is not known: what the plan left open stays so.
  auto route = state.of<Route>().begin();
  for (const auto& [ignored, value] : routes_) {
    const auto given = as_given_.find(&value);
    if (given != as_given_.end()) route->nexthops = given->second;
    ++route;
  }
  return state;
}

// ---- rules, sysctls, chains ---------------------------------------------------------------------

void World::take(const Rule& rule) {
  const auto found = rules_.find(key(rule));
  if (found != rules_.end()) rules_.erase(found);
}

void World::put(const Sysctl& sysctl) {
  sysctls_[key(sysctl)] = sysctl;
  if (const auto link = link_of(sysctl.path)) sysctls_by_link_[*link].insert(key(sysctl));
}

void World::take(const Sysctl& sysctl) {
  if (const auto link = link_of(sysctl.path)) sysctls_by_link_[*link].erase(key(sysctl));
  sysctls_.erase(key(sysctl));
}

/// Only a change takes others along (inet_forward_change() in net/ipv4/devinet.c).
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
    along->second.value = value_along(after, path).value_or(had.value);
    taken_.push_back({had, along->second});
  }
}

/// The chain is not ours and stays; only our rules leave it.
void World::take(const SharedChain& chain) {
  const auto found = shared_.find(key(chain));
  if (found == shared_.end()) return;
  found->second.insert = {};
  found->second.append = {};
  found->second.strays = {};
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
  added.insert = added.insert.followed_by(added.append);
  added.append = {};
}

void World::change(const SharedChain& before, const SharedChain& after) {
  const auto found = shared_.find(key(before));
  SharedChain changed = after;
  if (found != shared_.end()) {
    changed.only_ours = found->second.only_ours;
    if (!changed.policy) changed.policy = found->second.policy;
  }
  changed.strays = {};
  changed.stray_places.clear();
  put(changed);
}

}  // namespace plumbline::kernel
