// Firewall steps of one phase as one nf_tables transaction: all tables, both families, or nothing.
//
// Makes the smallest change from what a Ruleset knows to be there, looking again only when that is
// old, and has the kernel refuse it when anybody was faster. Rules that stay keep their handles and
// counters. Every rule that was committed is read back: the first few hundred of a commit at once,
// which undoes it where one is another; all others by the look that ends a pass, which puts right.

#pragma once

#include <span>
#include <vector>

#include "batch.hpp"

namespace plumbline::engine {

/// One result per move. `nft`: chains of IP are looked at as well, not only those of bridges. EBUSY
/// and `busy` when others change the rules faster than they can be looked at.
[[nodiscard]] std::vector<MoveResult> link(io::Host& host, Ruleset& ruleset, bool nft,
                                           std::span<const Move> moves);

}  // namespace plumbline::engine
