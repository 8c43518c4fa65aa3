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

struct Target {
  Chain::Key where;
  bool exists = true;  ///< in the end
  bool shared = false;
  bool claimed = false;  ///< a new chain is to carry our mark
  /// A built-in chain that came with our rules goes with them, if it is empty.
  bool unmade = false;
  std::optional<std::string> policy;
  RuleList whole;  ///< of a chain of ours
  RuleList insert;
  RuleList append;
  RuleList strays;
  std::vector<std::size_t> stray_places;
};

[[nodiscard]] Target target_of(const ChainStep& step);

[[nodiscard]] bool is_ours(const HeldChain& held);

/// A rule that shall be in a chain: one that is there, or a new one.
struct Wanted {
  std::optional<std::size_t> held;  ///< position among what is there
  FirewallRule rule;
};

/// All rules of the chain as they shall be. `held` has no rules where the chain is not there.
[[nodiscard]] std::vector<Wanted> layout(const Target& target, const HeldChain& held);

/// Rules that stay where they are, as positions in `held` and in `wanted`: all foreign ones, and
/// between them as many of ours as can.
[[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> staying(
    const HeldChain& held, const std::vector<Wanted>& wanted);

}  // namespace plumbline::firewall
