// What iptables made of the rules of one family the last time: so that of a changed spec only the
// changed rules are compiled. Private to the compiler.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "plumbline/firewall/observe/ruleset.hpp"
#include "wanted_rules.hpp"

namespace plumbline::firewall {

/// The rules of one chain, as they were wanted and what they became.
struct CompiledChain {
  RuleList insert;  ///< that `texts` are of, unless they are of `file`
  RuleList append;
  std::shared_ptr<const std::string> file;
  std::vector<std::string_view> texts;
  std::vector<std::uint32_t> ends;  ///< for each of them: where what it became ends, in both lists
  RuleList made_insert;
  RuleList made_append;
  /// What there is to be said of rules, by their text.
  std::map<std::string, std::vector<std::string>, std::less<>> warnings{};

  /// What became of the rule at that place.
  [[nodiscard]] std::span<const FirewallRule> made(std::size_t place) const;
};

struct Memo {
  /// Table, name, shared.
  using Name = std::tuple<std::string, std::string, bool>;

  /// All that the answers depend on besides the rules themselves, WantedRules::topology() included.
  std::string key;
  WantedRules::Declared declared;
  std::map<Name, std::shared_ptr<const CompiledChain>> chains;

  [[nodiscard]] const CompiledChain* find(const WantedChain& chain) const;
};

/// Gives the rules that are known what they became. True when all are, and each chain is as it was.
[[nodiscard]] bool take_known(WantedRules& rules, const Memo& known);
/// Forgets what take_known() gave.
void drop_known(WantedRules& rules);

/// What is known now. What did not change stays the same lists of the same rules, and equal rules
/// of `book` are taken for those that were compiled anew.
[[nodiscard]] Memo known_from(const WantedRules& rules, std::string key, const Memo* earlier,
                              const FirewallRuleSet& book);
/// Puts what the rules became into `desired`.
void store(const Memo& known, Family family, spec::Desired& desired);

}  // namespace plumbline::firewall
