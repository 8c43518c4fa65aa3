#include "rank.hpp"

#include <bit>
#include <tuple>

namespace plumbline {

namespace {

// In the order of execution. Making comes before breaking.
enum Rank : unsigned {
  guard,
  early_sysctl,
  link,
  link_sysctl,
  tunnel,
  address,
  route,
  rule,
  rule_removal,
  route_removal,
  address_removal,
  tunnel_removal,
  link_going_down,
  link_removal,
  put_back,
  release,
};

bool goes_down(const Node& node) {
  const auto& before = std::get<Link>(*node.before);
  const auto& after = std::get<Link>(*node.after);
  return before.up == true && after.up == false;
}

unsigned rank_of_link(const Node& node) {
  if (node.action == Action::remove) return node.draft->split ? link : link_removal;
  if (node.action == Action::update && node.draft->why == Why::unwanted) return put_back;
  const bool taken_down = node.draft->forced && node.side == Side::down;
  if (node.action == Action::update && (taken_down || goes_down(node))) return link_going_down;
  return link;
}

/// The first half of a replacement is due when the second is, so that little time is between. What
/// is taken down by another change is due when that is.
unsigned rank_of_removal(const Node& node, unsigned making, unsigned breaking) {
  if (node.action != Action::remove) return making;
  return node.draft->split && !node.draft->forced ? making : breaking;
}

bool is_firewall(const Node& node) {
  return std::holds_alternative<Chain::Key>(*node.key) ||
         std::holds_alternative<SharedChain::Key>(*node.key);
}

}  // namespace

Phase phase_of(const Node& node) {
  if (!is_firewall(node)) return Phase::main;
  const Draft& draft = *node.draft;
  if (node.action == Action::remove || draft.why == Why::unwanted) return Phase::release;
  if (draft.gradual()) return node.side == Side::down ? Phase::guard : Phase::release;
  return draft.lets_go ? Phase::release : Phase::guard;
}

unsigned rank_of(const Node& node) {
  if (node.phase == Phase::guard) return guard;
  if (node.phase == Phase::release) return release;
  const Resource& value = node.after != nullptr ? *node.after : *node.before;
  if (std::holds_alternative<Link>(value)) return rank_of_link(node);
  if (std::holds_alternative<WireGuard>(value))
    return rank_of_removal(node, tunnel, tunnel_removal);
  if (std::holds_alternative<Address>(value))
    return rank_of_removal(node, address, address_removal);
  if (std::holds_alternative<Route>(value)) return rank_of_removal(node, route, route_removal);
  if (std::holds_alternative<Rule>(value)) return rank_of_removal(node, rule, rule_removal);
  if (node.draft->why == Why::unwanted) return put_back;
  return needs(std::get<Sysctl>(value)).empty() ? early_sysctl : link_sysctl;
}

namespace {

/// Of two rules of one priority: negative when `a` says less, positive when it says more. One that
/// is removed may hit another that says more (removal_may_hit()), so that goes before it, and is
/// made after it, as undoing goes the other way.
int compare_conditions(const Key& a, const Key& b) {
  const auto* first = std::get_if<Rule::Key>(&a);
  const auto* second = std::get_if<Rule::Key>(&b);
  if (first == nullptr || second == nullptr) return 0;
  if (std::tie(first->rule.family, first->rule.priority) !=
      std::tie(second->rule.family, second->rule.priority)) {
    return 0;
  }
  return std::popcount(conditions_of(first->rule)) - std::popcount(conditions_of(second->rule));
}

}  // namespace

bool is_preferred(const Node& a, const Node& b) {
  if (a.rank != b.rank) return a.rank < b.rank;
  const bool of_rules = a.rank == rule || a.rank == rule_removal;
  if (const int more = of_rules ? compare_conditions(*a.key, *b.key) : 0; more != 0) {
    return a.rank == rule ? more < 0 : more > 0;
  }
  if (*a.key != *b.key) {
    return a.rank == rule ? *b.key < *a.key : *a.key < *b.key;
  }
  return a.side < b.side;
}

}  // namespace plumbline
