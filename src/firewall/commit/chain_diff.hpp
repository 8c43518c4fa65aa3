// What one step of a plan wants of one chain, laid over what is there.
//
// Foreign rules of a shared chain stay where they are, ours go around them. Pure: transaction.cpp
// asks and tells the kernel.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plumbline/firewall/commit/transaction.hpp"
#include "plumbline/firewall/observe/ruleset.hpp"

namespace plumbline::firewall {

/// What is wanted of a chain in the end.
struct ChainGoal {
  Chain::Key where;
  bool exists = true;
  bool shared = false;
  bool claimed = false;  ///< a new chain is to carry our mark
  /// A built-in chain that came with our rules goes with them, if it is empty.
  bool unmade = false;
  /// Its policy and rules. Those of a chain of ours are all in `insert`.
  SharedChain content;
};

[[nodiscard]] ChainGoal goal_of(const ChainStep& step);

[[nodiscard]] bool is_ours(const HaveChain& held);

/// A rule that shall be in a chain: one that is there, or a new one.
struct PlacedRule {
  std::optional<std::size_t> held;  ///< position among what is there
  FirewallRule rule;
};

/// All rules of the chain as they shall be. `held` has no rules where the chain is not there.
[[nodiscard]] std::vector<PlacedRule> layout(const ChainGoal& goal, const HaveChain& held);

/// Rules that stay where they are, as positions in `held` and in `wanted`: all foreign ones, and
/// between them as many of ours as can.
[[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> staying(
    const HaveChain& held, const std::vector<PlacedRule>& wanted);

}  // namespace plumbline::firewall
