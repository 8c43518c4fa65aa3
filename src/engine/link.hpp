// Firewall steps of one phase as one nf_tables transaction: all tables, both families, or nothing.
//
// Looks at the chains again just before, makes the smallest change from what is there, and has the
// kernel refuse it when anybody was faster. Rules that stay keep their handles and counters. What
// was committed is read back.

#pragma once

#include <span>
#include <vector>

#include "batch.hpp"

namespace plumbline::engine {

/// One result per move. EBUSY when others change the rules faster than they can be looked at.
[[nodiscard]] std::vector<MoveResult> link(io::Host& host, std::span<const Move> moves);

}  // namespace plumbline::engine
