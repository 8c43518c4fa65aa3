#include "restoration.hpp"

#include <algorithm>
#include <iterator>

#include "batch.hpp"
#include "plumbline/kernel/reach.hpp"

namespace plumbline::engine {

namespace {

template <class K>
bool comes_back(const K& value) {
  if constexpr (requires { comes_by_itself(value); }) {
    return comes_by_itself(value);
  } else {
    return false;
  }
}

/// What is only ever observed, such as a carrier, is taken over by complete().
template <class K>
bool is_as_before(const K& before, const K& now) {
  if (before == now) return true;
  if constexpr (requires { is_back(before, now); }) {
    return is_back(before, now);
  } else {
    return complete(before, now) == now;
  }
}

/// Calls `visit` with each key of which the two states have different values: null for none.
template <class K, class Visit>
void compare(const State& before, const State& now, Visit&& visit) {
  const auto& olds = before.of<K>();
  const auto& news = now.of<K>();
  std::size_t i = 0;
  std::size_t j = 0;
  const auto see = [&](const K* old_value, const K* new_value) {
    const K& either = old_value != nullptr ? *old_value : *new_value;
    if (!comes_back(either)) visit(old_value, new_value);
  };
  while (i < olds.size() || j < news.size()) {
    if (j == news.size() || (i < olds.size() && key(olds[i]) < key(news[j]))) {
      see(&olds[i++], static_cast<const K*>(nullptr));
    } else if (i == olds.size() || key(news[j]) < key(olds[i])) {
      see(static_cast<const K*>(nullptr), &news[j++]);
    } else {
      if (!is_as_before(olds[i], news[j])) see(&olds[i], &news[j]);
      ++i;
      ++j;
    }
  }
}

template <class K>
Step step_between(const K* now, const K* before) {
  Step step;
  step.key = key(now != nullptr ? *now : *before);
  if (now != nullptr) step.before = *now;
  if (before != nullptr) step.after = *before;
  step.action = now == nullptr      ? Action::create
                : before == nullptr ? Action::remove
                                    : Action::update;
  if (stage(now != nullptr ? *now : *before) == Stage::guard) {
    step.phase = before == nullptr ? Phase::release : Phase::guard;
  }
  return step;
}

/// What is new may be of the plan.
template <class K>
bool may_be_ours(const K& value, const Mark& mark) {
  if constexpr (requires { may_be_of_ours(value); }) {
    if (may_be_of_ours(value)) return true;
  }
  return is_marked(value, mark);
}

template <class K>
Step step_away(const K& value) {
  Step step = step_between<K>(&value, nullptr);
  if constexpr (requires { bare(value); }) {
    step.action = Action::update;
    step.after = bare(value);
  }
  return step;
}

/// Each step by itself, whatever becomes of the others.
void apply_singly(const Context& context, bool nft, const Plan& plan, LinkNames links) {
  for (const Step& step : plan.steps) {
    Plan one;
    one.steps.push_back(step);
    static_cast<void>(apply(context.host, context.ruleset, one, {links, {}, nft}));
    // Made or gone: its name leads elsewhere now.
    if (step.action == Action::update) continue;
    if (const auto link = link_named({0, &step, false})) links.remove(*link);
  }
}

}  // namespace

std::vector<std::string> differences(const State& before, const State& now, const Plan& plan,
                                     const Mark& mark) {
  const kernel::Reach reach(plan);
  std::vector<std::string> words;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    compare<K>(before, now, [&](const K* old_value, const K* new_value) {
      const bool missing = new_value == nullptr;
      if (!reach.has(missing ? *old_value : *new_value)) return;
      if (old_value == nullptr && !may_be_ours(*new_value, mark)) return;
      words.push_back(format(key(missing ? *old_value : *new_value)) + (missing ? " is missing"
                                                                        : old_value == nullptr
                                                                            ? " is there"
                                                                            : " is not as it was"));
    });
  });
  return words;
}

Plan way_back(const State& before, const State& now, const Plan& plan, const Mark& mark) {
  const kernel::Reach reach(plan);
  std::vector<Step> guards;
  std::vector<Step> removals;
  std::vector<Step> releases;
  Plan back;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    const bool is_firewall = stage(K()) == Stage::guard;
    std::vector<Step>& away = is_firewall ? releases : removals;
    std::vector<Step> steps;
    compare<K>(before, now, [&](const K* old_value, const K* new_value) {
      if (new_value != nullptr && !reach.touches(key(*new_value))) return;
      // What is ours is made again also where somebody else removed it.
      if (new_value == nullptr && !is_marked(*old_value, mark) && !reach.has(*old_value)) return;
      if (old_value == nullptr && !may_be_ours(*new_value, mark)) return;
      const K* none = nullptr;
      const bool replace =
          old_value != nullptr && new_value != nullptr &&
          transition(*new_value, complete(*old_value, *new_value)).change == Change::replace;
      if (replace || old_value == nullptr) away.push_back(step_away(*new_value));
      if (replace) steps.push_back(step_between(none, old_value));
      if (!replace && old_value != nullptr) steps.push_back(step_between(new_value, old_value));
    });
    if constexpr (requires(const K& value) { holder(value); }) {
      // A bridge before its ports.
      std::stable_partition(steps.begin(), steps.end(), [](const Step& step) {
        return !holder(std::get<K>(*step.after)).has_value();
      });
    }
    std::ranges::move(steps, std::back_inserter(is_firewall ? guards : back.steps));
  });
  // Later kinds stand on earlier ones.
  std::ranges::reverse(removals);
  // Each phase is one commit: a chain goes once nothing jumps there.
  guards.insert(guards.end(), removals.begin(), removals.end());
  back.steps.insert(back.steps.begin(), guards.begin(), guards.end());
  back.steps.insert(back.steps.end(), releases.begin(), releases.end());
  return back;
}

void restore(const Context& context, const Restoration& restoration, Observed& now) {
  // What is put back may take something along itself, so look again, but not for ever.
  constexpr int most_rounds = 4;
  bool together = true;
  for (int round = 0; round < most_rounds; ++round) {
    const Plan rest =
        way_back(restoration.before, now.state, restoration.plan, context.options.mark);
    if (rest.empty()) return;
    if (together) {
      const Surroundings around{now.links, {}, restoration.uses_nft};
      together = !apply(context.host, context.ruleset, rest, around).failed;
    } else {
      apply_singly(context, restoration.uses_nft, rest, now.links);
    }
    now = restoration.look();
  }
}

}  // namespace plumbline::engine
