// What the ledger says once a plan was carried out, and what can be told of that before.
//
// Private to engine; the file itself is the LedgerFile's.

#pragma once

#include <cstddef>
#include <set>

#include "plumbline/engine/pass.hpp"

namespace plumbline::engine {

/// After success, as far as can be told before: nothing is seen to be back yet, so all that is
/// remembered still is. `bare`: tables that others made without a chain.
[[nodiscard]] Ledger expected_ledger(const Prepared& prepared, Ledger ledger,
                                     const std::set<TableKey>& bare);

/// After success, with `now` there: what is back is forgotten, what was applied is noted, empty
/// tables go.
[[nodiscard]] Ledger settle_ledger(const Context& context, const Prepared& prepared,
                                   const Observed& now, Ledger ledger, Ledger expected,
                                   const std::set<TableKey>& bare = {});

/// How many bytes the ledger may have beyond what is expected: values of sysctls that are not there
/// yet, what the kernel made of those that it changes along, which objects they all are of, what is
/// refused, networks whose flows did not end.
[[nodiscard]] std::size_t unexpected_bytes(const Prepared& prepared, const Ledger& ledger);

}  // namespace plumbline::engine
