// What the two kinds of chains have in common. Private to them.

#pragma once

#include <vector>

#include "plumbline/firewall/model/chain.hpp"

namespace plumbline {

/// The rules of a chain that are ours, by where they stand.
[[nodiscard]] SharedChain ours_in(const HaveChain& have);

/// Whether any table has a built-in chain of that name.
[[nodiscard]] bool is_builtin_name(std::string_view name);

[[nodiscard]] std::vector<Need> needed_sets(const RuleList& rules);

/// Whether a rule that stays in the chain has to be taken away and put in anew.
[[nodiscard]] bool loses_counters(const RuleList& have, const RuleList& want);

}  // namespace plumbline
