#include "rank.hpp"

#include <algorithm>

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

RuleList rules_of(const Resource& resource) {
  if (const auto* chain = std::get_if<Chain>(&resource)) return chain->rules;
  const auto& shared = std::get<SharedChain>(resource);
  return shared.insert.followed_by(shared.append).followed_by(shared.strays);
}

/// Only takes rules away that may hold traffic back, so it has to wait until traffic has stopped. A
/// rule that lets traffic through may be taken away early: it can only let less through.
bool only_lets_go(const Node& node) {
  const RuleList before = rules_of(*node.before);
  const RuleList after = rules_of(*node.after);
  if (before.size() <= after.size()) return false;
  const FirewallRuleSet had(before.begin(), before.end());
  const FirewallRuleSet kept(after.begin(), after.end());
  const auto is_had = [&](const FirewallRule& rule) { return had.contains(rule); };
  if (!std::ranges::all_of(kept, is_had)) return false;
  return std::ranges::all_of(before, [&](const FirewallRule& rule) {
    return kept.contains(rule) || !rule.leads_to("ACCEPT");
  });
}

bool is_firewall(const Node& node) {
  return std::holds_alternative<Chain::Key>(*node.key) ||
         std::holds_alternative<SharedChain::Key>(*node.key);
}

}  // namespace

Phase phase_of(const Node& node) {
  if (!is_firewall(node)) return Phase::main;
  if (node.action == Action::remove || node.draft->why == Why::unwanted) return Phase::release;
  if (node.action == Action::update && only_lets_go(node)) return Phase::release;
  return Phase::guard;
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

bool is_preferred(const Node& a, const Node& b) {
  if (a.rank != b.rank) return a.rank < b.rank;
  if (*a.key != *b.key) {
    return a.rank == rule ? *b.key < *a.key : *a.key < *b.key;
  }
  return a.side < b.side;
}

}  // namespace plumbline
