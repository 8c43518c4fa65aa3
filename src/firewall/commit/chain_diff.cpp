#include "chain_diff.hpp"

#include <algorithm>
#include <span>

namespace plumbline::firewall {

namespace {

ChainGoal goal_of(const Chain* from, const Chain* to) {
  const Chain& either = to != nullptr ? *to : *from;
  ChainGoal goal;
  goal.where = key(either);
  goal.exists = to != nullptr;
  goal.claimed = either.marked;
  if (to != nullptr) goal.content.insert = to->rules;
  return goal;
}

ChainGoal goal_of(const SharedChain* from, const SharedChain* to, bool backwards) {
  const SharedChain& either = to != nullptr ? *to : *from;
  ChainGoal goal;
  goal.where = {either.family, either.table, either.name};
  goal.shared = true;
  goal.unmade = to == nullptr && backwards;
  if (to != nullptr) {
    goal.content = *to;
  } else if (goal.unmade && from->policy) {
    goal.content.policy = "ACCEPT";  // the chain was not there, and came with it
  }
  return goal;
}

/// Its last rule is what ebtables keeps for its policy.
bool has_policy_rule(const HaveChain& held) {
  const RuleList::Rules& rules = held.rules;
  return !rules.empty() && rules.back().code() && is_chain_policy(*rules.back().code());
}

void append_new(const RuleList& rules, std::vector<PlacedRule>& wanted) {
  wanted.reserve(wanted.size() + rules.size());
  for (const FirewallRule& rule : rules) wanted.push_back({std::nullopt, rule});
}

}  // namespace

ChainGoal goal_of(const ChainStep& step) {
  const auto& [from, to, backwards] = step;
  const Resource& either = to != nullptr ? *to : *from;
  if (std::holds_alternative<Chain>(either)) {
    return goal_of(from == nullptr ? nullptr : &std::get<Chain>(*from),
                   to == nullptr ? nullptr : &std::get<Chain>(*to));
  }
  return goal_of(from == nullptr ? nullptr : &std::get<SharedChain>(*from),
                 to == nullptr ? nullptr : &std::get<SharedChain>(*to), backwards);
}

bool is_ours(const HaveChain& held) {
  return held.claimed || std::ranges::any_of(held.rules, &FirewallRule::is_mark);
}

std::vector<PlacedRule> layout(const ChainGoal& goal, const HaveChain& held) {
  const RuleList::Rules& there = held.rules;
  std::vector<PlacedRule> wanted;
  append_new(goal.content.insert, wanted);
  if (!goal.shared) return wanted;
  const std::size_t end = there.size() - (has_policy_rule(held) ? 1 : 0);
  for (std::size_t i = 0; i < end; ++i) {
    if (!there[i].carries_mark()) wanted.push_back({i, there[i]});
  }
  for (std::size_t i = 0; i < goal.content.strays.size(); ++i) {
    const std::size_t place = std::min(goal.content.stray_places.at(i) - 1, wanted.size());
    wanted.insert(wanted.begin() + static_cast<std::ptrdiff_t>(place),
                  {std::nullopt, goal.content.strays[i]});
  }
  append_new(goal.content.append, wanted);
  if (end < there.size()) wanted.push_back({end, there[end]});
  return wanted;
}

std::vector<std::pair<std::size_t, std::size_t>> staying(const HaveChain& held,
                                                         const std::vector<PlacedRule>& wanted) {
  RuleList::Rules want;
  want.reserve(wanted.size());
  for (const PlacedRule& one : wanted) want.push_back(one.rule);
  std::vector<std::pair<std::size_t, std::size_t>> stay;
  std::size_t from = 0;
  std::size_t to = 0;
  const auto between = [&](std::size_t from_end, std::size_t to_end) {
    const auto pairs = kept_rules(std::span(held.rules).subspan(from, from_end - from),
                                  std::span(want).subspan(to, to_end - to));
    for (const auto& [a, b] : pairs) stay.emplace_back(from + a, to + b);
  };
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i].held) continue;
    between(*wanted[i].held, i);
    stay.emplace_back(*wanted[i].held, i);
    from = *wanted[i].held + 1;
    to = i + 1;
  }
  between(held.rules.size(), want.size());
  return stay;
}

}  // namespace plumbline::firewall
