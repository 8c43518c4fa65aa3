#include "chain_diff.hpp"

#include <algorithm>
#include <span>

namespace plumbline::firewall {

namespace {

Target target_of(const Chain* from, const Chain* to) {
  const Chain& either = to != nullptr ? *to : *from;
  Target target;
  target.where = key(either);
  target.exists = to != nullptr;
  target.claimed = either.marked;
  if (to != nullptr) target.whole = to->rules;
  return target;
}

Target target_of(const SharedChain* from, const SharedChain* to, bool backwards) {
  const SharedChain& either = to != nullptr ? *to : *from;
  Target target;
  target.where = {either.family, either.table, either.name};
  target.shared = true;
  target.unmade = to == nullptr && backwards;
  if (to != nullptr) {
    target.policy = to->policy;
    target.insert = to->insert;
    target.append = to->append;
    target.strays = to->strays;
    target.stray_places = to->stray_places;
  } else if (target.unmade && from->policy) {
    target.policy = "ACCEPT";  // the chain was not there, and came with it
  }
  return target;
}

/// Its last rule is what ebtables keeps for its policy.
bool has_policy_rule(const HeldChain& held) {
  const RuleList::Rules& rules = held.chain.rules;
  return !rules.empty() && rules.back().code() && is_chain_policy(*rules.back().code());
}

void append_new(const RuleList& rules, std::vector<Wanted>& wanted) {
  for (const FirewallRule& rule : rules) wanted.push_back({std::nullopt, rule});
}

}  // namespace

Target target_of(const ChainStep& step) {
  const auto& [from, to, backwards] = step;
  const Resource& either = to != nullptr ? *to : *from;
  if (std::holds_alternative<Chain>(either)) {
    return target_of(from == nullptr ? nullptr : &std::get<Chain>(*from),
                     to == nullptr ? nullptr : &std::get<Chain>(*to));
  }
  return target_of(from == nullptr ? nullptr : &std::get<SharedChain>(*from),
                   to == nullptr ? nullptr : &std::get<SharedChain>(*to), backwards);
}

bool is_ours(const HeldChain& held) {
  return held.chain.claimed || std::ranges::any_of(held.chain.rules, &FirewallRule::is_mark);
}

std::vector<Wanted> layout(const Target& target, const HeldChain& held) {
  const RuleList::Rules& there = held.chain.rules;
  std::vector<Wanted> wanted;
  if (!target.shared) {
    wanted.reserve(target.whole.size());
    append_new(target.whole, wanted);
    return wanted;
  }
  append_new(target.insert, wanted);
  const std::size_t end = there.size() - (has_policy_rule(held) ? 1 : 0);
  for (std::size_t i = 0; i < end; ++i) {
    if (!there[i].carries_mark()) wanted.push_back({i, there[i]});
  }
  for (std::size_t i = 0; i < target.strays.size(); ++i) {
    const std::size_t place = std::min(target.stray_places.at(i) - 1, wanted.size());
    wanted.insert(wanted.begin() + static_cast<std::ptrdiff_t>(place),
                  {std::nullopt, target.strays[i]});
  }
  append_new(target.append, wanted);
  if (end < there.size()) wanted.push_back({end, there[end]});
  return wanted;
}

std::vector<std::pair<std::size_t, std::size_t>> staying(const HeldChain& held,
                                                         const std::vector<Wanted>& wanted) {
  RuleList::Rules want;
  want.reserve(wanted.size());
  for (const Wanted& one : wanted) want.push_back(one.rule);
  std::vector<std::pair<std::size_t, std::size_t>> stay;
  std::size_t from = 0;
  std::size_t to = 0;
  const auto between = [&](std::size_t from_end, std::size_t to_end) {
    const auto pairs = kept_rules(std::span(held.chain.rules).subspan(from, from_end - from),
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
  between(held.chain.rules.size(), want.size());
  return stay;
}

}  // namespace plumbline::firewall
