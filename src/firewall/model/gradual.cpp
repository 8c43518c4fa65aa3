#include "plumbline/firewall/model/gradual.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace plumbline {

namespace {

/// A rule that may go early: without it only less gets through.
bool lets_through(const FirewallRule& rule) { return rule.leads_to("ACCEPT"); }

/// A rule that may by itself let through what rules behind it hold back.
bool opens(const FirewallRule& rule) { return lets_through(rule) || rule.leads_to("RETURN"); }

RuleList rules_of(const Chain& chain) { return chain.rules; }
RuleList rules_of(const SharedChain& chain) {
  return chain.insert.followed_by(chain.append).followed_by(chain.strays);
}

FirewallRuleSet set_of(const RuleList& rules) { return {rules.begin(), rules.end()}; }

/// Whether `part` is what is left of `whole` when rules are taken away and none is moved.
bool is_part(const RuleList& part, const RuleList& whole) {
  auto from = whole.begin();
  for (const FirewallRule& rule : part) {
    from = std::find(from, whole.end(), rule);
    if (from == whole.end()) return false;
    ++from;
  }
  return true;
}

bool is_part(const Chain& part, const Chain& whole) { return is_part(part.rules, whole.rules); }
/// A stray that stays is moved, to where all of ours stand.
bool is_part(const SharedChain& part, const SharedChain& whole) {
  return is_part(part.insert, whole.insert) && is_part(part.append, whole.append);
}

/// Only takes rules away, and none that `may_go_early`.
template <class K, class Rule>
bool only_lets_go(const K& have, const K& want, Rule&& may_go_early) {
  if (!is_part(want, have)) return false;
  const RuleList before = rules_of(have);
  const FirewallRuleSet kept = set_of(rules_of(want));
  if (before.size() <= kept.size()) return false;
  return std::ranges::all_of(
      before, [&](const FirewallRule& rule) { return kept.contains(rule) || !may_go_early(rule); });
}

/// Two lists in one: in front of each rule that stays in its place, first what `stays` takes of the
/// rules that are there, then what `comes` takes of the wanted ones.
template <class Stays, class Comes>
RuleList laid_over(const RuleList& have, const RuleList& want, Stays&& stays, Comes&& comes) {
  RuleList::Rules rules;
  std::size_t from = 0;
  std::size_t to = 0;
  const auto add_until = [&](std::size_t from_end, std::size_t to_end) {
    for (; from < from_end; ++from) {
      if (stays(have[from])) rules.push_back(have[from]);
    }
    for (; to < to_end; ++to) {
      if (comes(want[to])) rules.push_back(want[to]);
    }
  };
  for (const auto& [had, has] : kept_rules(have.rules(), want.rules())) {
    add_until(had, has);
    rules.push_back(have[had]);
    ++from;
    ++to;
  }
  add_until(have.size(), want.size());
  return rules;
}

/// The way of one built-in or foreign chain.
class SharedWay {
 public:
  SharedWay(const SharedChain& have, const SharedChain& want)
      : have_(have), want_(want), had_(set_of(rules_of(have))), wanted_(set_of(rules_of(want))) {}

  [[nodiscard]] SharedChain middle() const {
    SharedChain middle = want_;
    if (have_.policy == "DROP") middle.policy = have_.policy;
    // A stray that has to wait cannot stay between foreign rules: in front of all it holds no less.
    RuleList::Rules strays;
    std::ranges::copy_if(have_.strays, std::back_inserter(strays),
                         [&](const FirewallRule& rule) { return waits(rule); });
    middle.insert = RuleList(strays).followed_by(widened(have_.insert, want_.insert));
    middle.append = widened(have_.append, want_.append);
    if (have_.strays.empty() && is_opened(middle)) {
      middle.insert = narrowed(have_.insert, want_.insert);
      middle.append = narrowed(have_.append, want_.append);
    }
    return middle;
  }

 private:
  [[nodiscard]] bool waits(const FirewallRule& rule) const {
    return !wanted_.contains(rule) && !lets_through(rule);
  }

  /// As wanted, and what has to wait.
  [[nodiscard]] RuleList widened(const RuleList& have, const RuleList& want) const {
    return laid_over(
        have, want, [&](const FirewallRule& rule) { return waits(rule); },
        [](const FirewallRule&) { return true; });
  }

  /// As it is, and what is new and opens nothing.
  [[nodiscard]] RuleList narrowed(const RuleList& have, const RuleList& want) const {
    return laid_over(
        have, want, [](const FirewallRule&) { return true; },
        [&](const FirewallRule& rule) { return !had_.contains(rule) && !opens(rule); });
  }

  /// Whether a rule that has to wait stands behind one that may open, which was not before it.
  [[nodiscard]] bool is_opened(const SharedChain& middle) const {
    const RuleList before = rules_of(have_);
    const RuleList now = rules_of(middle);
    auto passed = before.begin();
    FirewallRuleSet opening_before;
    FirewallRuleSet newly_opening;
    for (const FirewallRule& rule : now) {
      if (opens(rule) && !opening_before.contains(rule)) newly_opening.insert(rule);
      if (!waits(rule)) continue;
      // What has to wait keeps its order.
      for (; passed != before.end() && !(*passed == rule); ++passed) {
        if (!opens(*passed)) continue;
        opening_before.insert(*passed);
        newly_opening.erase(*passed);
      }
      if (!newly_opening.empty()) return true;
    }
    return false;
  }

  const SharedChain& have_;
  const SharedChain& want_;
  FirewallRuleSet had_;
  FirewallRuleSet wanted_;
};

}  // namespace

Gradual<SharedChain> gradually(const SharedChain& have, const SharedChain& want,
                               const ChainNames& /*going*/) {
  const bool tightens = want.policy == "DROP" && have.policy != "DROP";
  if (!tightens && only_lets_go(have, want, lets_through)) return {true, std::nullopt};
  SharedChain middle = SharedWay(have, want).middle();
  if (middle == have) return {true, std::nullopt};
  if (middle == want) return {};
  return {false, std::move(middle)};
}

Gradual<Chain> gradually(const Chain& have, const Chain& want, const ChainNames& going) {
  if (only_lets_go(have, want, opens)) return {true, std::nullopt};
  if (going.empty()) return {};
  const FirewallRuleSet wanted = set_of(want.rules);
  const auto waits = [&](const FirewallRule& rule) {
    return !wanted.contains(rule) &&
           std::ranges::any_of(rule.targets(), [&](const std::string& target) {
             return going.contains({have.family, have.table, target});
           });
  };
  if (std::ranges::none_of(have.rules, waits)) return {};
  Chain middle = want;
  middle.rules = laid_over(have.rules, want.rules, waits, [](const FirewallRule&) { return true; });
  return {false, std::move(middle)};
}

}  // namespace plumbline
