#include "stake.hpp"

#include <algorithm>
#include <unordered_map>

namespace plumbline::daemon {

namespace {

/// How often each rule of ours is in the chain, wherever it stands.
FirewallRuleMap<std::size_t> counts(const SharedChain& chain) {
  FirewallRuleMap<std::size_t> counts;
  for (const RuleList* rules : {&chain.insert, &chain.strays, &chain.append}) {
    for (const FirewallRule& rule : *rules) ++counts[rule];
  }
  return counts;
}

bool is_guard(const SharedChain& before, const SharedChain& after) {
  return before.policy != after.policy || counts(before) != counts(after);
}

bool is_guard(const Link& link) {
  return link.kind == LinkKind::tap || link.kind == LinkKind::bridge || link.master.has_value();
}

/// A kill switch: what no other route of its table takes goes nowhere.
bool is_guard(const Route& route) {
  if (route.to.length() != 0) return false;
  return route.type == RouteType::blackhole || route.type == RouteType::unreachable ||
         route.type == RouteType::prohibit;
}

bool is_guard(const Address&) { return false; }
bool is_guard(const WireGuard&) { return false; }

/// Chains, shared chains, rules and sysctls.
template <class K>
bool is_guard(const K&) {
  return true;
}

bool is_guard(const std::optional<Resource>& resource) {
  return resource && std::visit([](const auto& value) { return bool{is_guard(value)}; }, *resource);
}

}  // namespace

Stake stake_of(const Step& repair) {
  const auto* before = repair.before ? std::get_if<SharedChain>(&*repair.before) : nullptr;
  const auto* after = repair.after ? std::get_if<SharedChain>(&*repair.after) : nullptr;
  const bool guard = before != nullptr && after != nullptr
                         ? is_guard(*before, *after)
                         : is_guard(repair.before) || is_guard(repair.after);
  return guard ? Stake::guard : Stake::ordinary;
}

Contested contested_by(const Step& repair) { return {repair.key, stake_of(repair)}; }

}  // namespace plumbline::daemon
