// What the two kinds of chains see alike. Private to them.

#pragma once

#include <vector>

#include "plumbline/firewall/model/chain.hpp"

namespace plumbline {

/// Sorts the rules of a chain by whose they are and where they stand.
[[nodiscard]] SharedChain sorted_out(SeenChain seen);

[[nodiscard]] std::vector<Need> needed_sets(const RuleList& rules);

/// Whether a rule that stays in the chain has to be taken away and put in anew.
[[nodiscard]] bool loses_counters(const RuleList& have, const RuleList& want);

}  // namespace plumbline
