// What the kernel cannot hold for us, on disk: /run/plumbline/<network namespace cookie>/.
//
// The values found before we set what cannot be marked, digests of what was last applied, and the
// tables we made. It dies with the kernel state it describes and is never needed to know what is
// ours: without it nothing foreign is touched, only nothing can be put back.

#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "plumbline/memory/memory.hpp"
#include "plumbline/spec/facts.hpp"

namespace plumbline::engine {

struct Ledger {
  memory::Memory memory;
  /// Tables that were not there before our first chain or rule in them.
  std::set<TableKey> tables_made;
  /// A copy of what the aliases of TAPs say, for when a TAP is missing.
  std::vector<spec::Assignment> assignments;
  /// Networks whose flows from before may still run: their guards are in, or were about to be.
  std::set<std::string> flows_to_flush;

  bool operator==(const Ledger&) const = default;
};

/// Its text in a file, and back. Nothing, and why not, where the text was not made by format().
[[nodiscard]] std::string format(const Ledger& ledger);
[[nodiscard]] std::optional<Ledger> parse_ledger(const std::string& text, const std::string& path,
                                                 std::string& fault);

}  // namespace plumbline::engine
