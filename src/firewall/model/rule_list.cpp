// Lists of rules, and what two of them have in common.

#include <algorithm>
#include <iterator>

#include "plumbline/base/digest.hpp"
#include "plumbline/firewall/model/rule.hpp"

namespace plumbline {

RuleList::RuleList(Rules rules) {
  if (rules.empty()) return;
  Digest digest;
  for (const FirewallRule& rule : rules) digest.add(rule.digest());
  shared_ = std::make_shared<const Shared>(Shared{std::move(rules), digest.value()});
}

const RuleList::Rules& RuleList::rules() const {
  static const Rules none;
  return shared_ ? shared_->rules : none;
}

RuleList RuleList::followed_by(const RuleList& more) const {
  if (more.empty()) return *this;
  if (empty()) return more;
  Rules all = rules();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::uint64_t RuleList::digest() const { return shared_ ? shared_->digest : 0; }

bool RuleList::operator==(const RuleList& other) const {
  return shared_ == other.shared_ || rules() == other.rules();
}

std::vector<std::pair<std::size_t, std::size_t>> kept_rules(std::span<const FirewallRule> have,
                                                            std::span<const FirewallRule> want) {
  std::size_t prefix = 0;
  while (prefix < have.size() && prefix < want.size() && have[prefix] == want[prefix]) ++prefix;
  std::size_t suffix = 0;
  while (suffix < have.size() - prefix && suffix < want.size() - prefix &&
         have[have.size() - 1 - suffix] == want[want.size() - 1 - suffix]) {
    ++suffix;
  }
  // The n-th of equal rules in one is taken for the n-th in the other.
  FirewallRuleMap<std::vector<std::size_t>> places;
  for (std::size_t i = want.size() - suffix; i > prefix; --i) places[want[i - 1]].push_back(i - 1);
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = prefix; !places.empty() && i < have.size() - suffix; ++i) {
    const auto found = places.find(have[i]);
    if (found == places.end() || found->second.empty()) continue;
    pairs.emplace_back(i, found->second.back());
    found->second.pop_back();
  }
  // The longest rising sequence of places in `want` (patience sorting).
  std::vector<std::size_t> ends;  // by length less one: the pair that ends the lowest such sequence
  std::vector<std::size_t> before(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto length = std::ranges::lower_bound(ends, pairs[i].second, std::ranges::less{},
                                                 [&](std::size_t p) { return pairs[p].second; });
    before[i] = length == ends.begin() ? i : *std::prev(length);
    if (length == ends.end()) {
      ends.push_back(i);
    } else {
      *length = i;
    }
  }
  std::vector<std::pair<std::size_t, std::size_t>> kept(ends.size());
  std::size_t at = ends.empty() ? 0 : ends.back();
  for (std::size_t i = ends.size(); i > 0; --i, at = before[at]) kept[i - 1] = pairs[at];

  std::vector<std::pair<std::size_t, std::size_t>> all;
  all.reserve(prefix + kept.size() + suffix);
  for (std::size_t i = 0; i < prefix; ++i) all.emplace_back(i, i);
  all.insert(all.end(), kept.begin(), kept.end());
  for (std::size_t i = suffix; i > 0; --i) all.emplace_back(have.size() - i, want.size() - i);
  return all;
}

std::vector<FirewallRule> moved_rules(std::span<const FirewallRule> have,
                                      std::span<const FirewallRule> want) {
  std::vector<bool> had(have.size(), true);
  std::vector<bool> put(want.size(), true);
  for (const auto& [from, to] : kept_rules(have, want)) had[from] = put[to] = false;
  FirewallRuleMap<std::size_t> taken;
  for (std::size_t i = 0; i < have.size(); ++i) {
    if (had[i]) ++taken[have[i]];
  }
  std::vector<FirewallRule> moved;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (!put[i]) continue;
    const auto found = taken.find(want[i]);
    if (found == taken.end() || found->second == 0) continue;
    --found->second;
    moved.push_back(want[i]);
  }
  return moved;
}

}  // namespace plumbline
