#include "plumbline/kernel/removal_hits.hpp"

namespace plumbline::kernel {

namespace {

struct Group {
  RulesOfOnePriority::Rules rules;
  bool some_are_there = false;
  bool some_are_wanted = false;
};

}  // namespace

const std::vector<const Rule*>& RulesOfOnePriority::hit_by(const Rule& removed) {
  const std::uint32_t said = conditions_of(removed);
  const auto [found, is_new] = by_conditions_.try_emplace(said);
  if (is_new) {
    for (const Rule* rule : rules_) found->second[reduced(*rule, said)].push_back(rule);
  }
  return found->second[reduced(removed, said)];
}

std::vector<RulesOfOnePriority> rules_that_mix(const State& have, const State& want,
                                               const Mark& mark) {
  std::map<std::pair<Family, std::uint32_t>, Group> groups;
  const auto gather = [&](const State& state, bool Group::*seen) {
    for (const Rule& rule : state.of<Rule>()) {
      if (!is_marked(rule, mark)) continue;
      Group& group = groups[{rule.family, rule.priority}];
      group.rules.insert(&rule);
      group.*seen = true;
    }
  };
  gather(have, &Group::some_are_there);
  gather(want, &Group::some_are_wanted);
  std::vector<RulesOfOnePriority> mixed;
  for (auto& [ignored, group] : groups) {
    if (group.rules.size() < 2 || !group.some_are_there || !group.some_are_wanted) continue;
    mixed.emplace_back(std::move(group.rules));
  }
  return mixed;
}

}  // namespace plumbline::kernel
