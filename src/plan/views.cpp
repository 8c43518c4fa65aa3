#include "views.hpp"

#include "plumbline/plan/networks.hpp"

namespace plumbline {

namespace {

bool survives(const Link& have, const Link& after) {
  return !have.up.value_or(false) || after.up.value_or(false);
}
bool survives(const Address& have, const Address& after) {
  return network_of(have) == network_of(after);
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

template <class K>
bool goes_on(const Draft& draft, const K& have) {
  if (draft.split) return draft.blocked() && !draft.forced;
  return draft.outcome() && survives(have, std::get<K>(*draft.outcome()));
}

}  // namespace

Providers providers_before(const State& have, const Drafts& drafts) {
  Providers providers;
  ProvidingKinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : have.of<K>()) {
      const Draft* draft = draft_of(drafts, value);
      providers.add(value, draft == nullptr || goes_on(*draft, value));
    }
  });
  return providers;
}

Providers providers_after(const State& have, const Drafts& drafts) {
  Providers providers;
  ProvidingKinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : have.of<K>()) {
      if (draft_of(drafts, value) == nullptr) providers.add(value, true);
    }
    for (const auto& [key, draft] : drafts) {
      if (!std::holds_alternative<typename K::Key>(key) || !draft.outcome()) continue;
      const bool stays = draft.blocked() && !draft.forced;
      // A chain is jumped to by name, whatever is in it.
      const bool by_name = std::is_same_v<K, Chain> && draft.have && !draft.split;
      providers.add(std::get<K>(*draft.outcome()), stays || by_name);
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
        if (!after.find(need)) draft.waits_for.push_back(format(need));
      }
      changed = changed || draft.blocked();
    }
  }
}

}  // namespace plumbline
