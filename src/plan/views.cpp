#include "views.hpp"

#include <algorithm>

namespace plumbline::plan {

namespace {

template <class K>
const Draft* draft_of(const Drafts& drafts, const K& have) {
  const auto found = drafts.find(Key(key(have)));
  if (found == drafts.end() || !found->second.have) return nullptr;
  return std::get<K>(*found->second.have) == have ? &found->second : nullptr;
}

bool is_kept(const Draft& draft) { return draft.blocked() && !draft.forced; }

template <class K>
bool can_be_used(const K& value) {
  if constexpr (requires { is_up(value); }) {
    return is_up(value);
  } else {
    return true;
  }
}

/// Whether what an observed object provides goes on to be provided.
template <class K>
Steadiness goes_on(const Draft* draft, const K& have) {
  const bool up = can_be_used(have);
  if (draft == nullptr || is_kept(*draft)) return {true, up};
  if (!draft->outcome()) return {};
  const K& after = std::get<K>(*draft->outcome());
  if constexpr (requires { requires K::needed_by_name; }) {
    // A port that leaves its bridge and joins it again was there all the time.
    const bool there = !draft->split || draft->middle;
    return {there, there && up && can_be_used(after)};
  } else {
    const bool there = !draft->split && goes_on_providing(have, after);
    return {there, there};
  }
}

/// Whether what a draft leads to is provided all the time.
template <class K>
Steadiness is_steady(const Draft& draft) {
  if constexpr (requires { requires K::needed_by_name; }) {
    return draft.have ? goes_on(&draft, std::get<K>(*draft.have)) : Steadiness();
  } else {
    return {is_kept(draft), is_kept(draft)};
  }
}

}  // namespace

Providers providers_before(const State& have, const Drafts& drafts) {
  Providers providers;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (Provides<K>) {
      for (const K& value : have.of<K>()) {
        providers.add(value, goes_on(draft_of(drafts, value), value));
      }
    }
  });
  return providers;
}

Providers providers_after(const State& have, const Drafts& drafts) {
  Providers providers;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (Provides<K>) {
      for (const K& value : have.of<K>()) {
        if (draft_of(drafts, value) == nullptr) providers.add(value, goes_on(nullptr, value));
      }
      for (const auto& [key, draft] : drafts) {
        if (!std::holds_alternative<typename K::Key>(key) || !draft.outcome()) continue;
        providers.add(std::get<K>(*draft.outcome()), is_steady<K>(draft));
      }
    }
  });
  return providers;
}

ChainNames known_chains(const State& have, const State& want) {
  ChainsProvided known;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (Provides<K>) {
      for (const K& value : have.of<K>()) provide(value, known);
      for (const K& value : want.of<K>()) provide(value, known);
    }
  });
  return std::move(known.names);
}

void settle_blocked(const State& have, const ChainNames& chains, Drafts& drafts) {
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

}  // namespace plumbline::plan
