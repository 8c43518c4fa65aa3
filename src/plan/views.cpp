#include "views.hpp"

#include <algorithm>

#include "plumbline/kernel/networks.hpp"

namespace plumbline {

namespace {

bool survives(const Address& have, const Address& after) {
  return kernel::network_of(have) == kernel::network_of(after);
}
bool survives(const Route& have, const Route& after) {
  return have.type == after.type && have.nexthops == after.nexthops;
}
bool survives(const Chain&, const Chain&) { return true; }

/// The kinds that provide something; links first, as the others depend on them.
using ProvidingKinds = KindList<Link, Address, Route, Chain>;

template <class K>
const Draft* draft_of(const Drafts& drafts, const K& have) {
  const auto found = drafts.find(Key(key(have)));
  if (found == drafts.end() || !found->second.have) return nullptr;
  return std::get<K>(*found->second.have) == have ? &found->second : nullptr;
}

bool is_kept(const Draft& draft) { return draft.blocked() && !draft.forced; }

/// Whether what an observed object provides goes on to be provided.
template <class K>
bool goes_on(const Draft* draft, const K& have) {
  if (draft == nullptr || is_kept(*draft)) return true;
  return !draft->split && draft->outcome() && survives(have, std::get<K>(*draft->outcome()));
}

LinkSteadiness goes_on(const Draft* draft, const Link& have) {
  const bool up = have.up.value_or(false);
  if (draft == nullptr || is_kept(*draft)) return {true, up};
  if (!draft->outcome()) return {};
  // A port that leaves its bridge and joins it again was there all the time.
  const bool there = !draft->split || draft->middle;
  return {there, there && up && std::get<Link>(*draft->outcome()).up.value_or(false)};
}

/// A chain is jumped to by its name, whatever is in it.
bool is_steady(const Draft& draft, const Chain&) {
  return is_kept(draft) || (draft.have && !draft.split);
}
LinkSteadiness is_steady(const Draft& draft, const Link&) {
  if (!draft.have) return {};
  return goes_on(&draft, std::get<Link>(*draft.have));
}
template <class K>
bool is_steady(const Draft& draft, const K&) {
  return is_kept(draft);
}

}  // namespace

Providers providers_before(const State& have, const Drafts& drafts) {
  Providers providers;
  ProvidingKinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : have.of<K>()) {
      providers.add(value, goes_on(draft_of(drafts, value), value));
    }
  });
  return providers;
}

Providers providers_after(const State& have, const Drafts& drafts) {
  Providers providers;
  ProvidingKinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : have.of<K>()) {
      if (draft_of(drafts, value) == nullptr) providers.add(value, goes_on(nullptr, value));
    }
    for (const auto& [key, draft] : drafts) {
      if (!std::holds_alternative<typename K::Key>(key) || !draft.outcome()) continue;
      const K& value = std::get<K>(*draft.outcome());
      providers.add(value, is_steady(draft, value));
    }
  });
  return providers;
}

std::set<Chain::Key> known_chains(const State& have, const State& want) {
  std::set<Chain::Key> chains;
  for (const Chain& chain : have.of<Chain>()) chains.insert(key(chain));
  for (const Chain& chain : want.of<Chain>()) chains.insert(key(chain));
  return chains;
}

void settle_blocked(const State& have, const std::set<Chain::Key>& chains, Drafts& drafts) {
  for (auto& [key, draft] : drafts) draft.waits_for.clear();
  bool changed = true;
  while (changed) {
    changed = false;
    const Providers after = providers_after(have, drafts);
    for (auto& [key, draft] : drafts) {
      if (draft.blocked() || !draft.want || !draft.asked) continue;
      for (const Need& need : all_needs(*draft.asked, chains)) {
        const auto* set = std::get_if<NeedsSet>(&need);
        const bool met = set != nullptr ? std::ranges::binary_search(have.ipsets, set->name)
                                        : after.find(need).has_value();
        if (!met) draft.waits_for.push_back(format(need));
      }
      changed = changed || draft.blocked();
    }
  }
}

}  // namespace plumbline
