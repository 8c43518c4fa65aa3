// Firewall steps of one phase as one nf_tables transaction: all tables, both families, or nothing.
//
// Makes the smallest change from what a Ruleset knows to be there, looking again only when that is
// old, and has the kernel refuse it when anybody was faster. Rules that stay keep their handles and
// counters. Every rule that was committed is read back: the first few hundred of a commit at once,
// which undoes it where one is another; all others by the look that ends a pass, which puts right.

#pragma once

#include <span>
#include <string>
#include <vector>

#include "plumbline/firewall/observe/ruleset.hpp"

namespace plumbline::firewall {

/// One step of a plan for one chain, forwards or backwards: from a value to another, or to none.
struct ChainStep {
  const Resource* from = nullptr;
  const Resource* to = nullptr;
  bool backwards = false;  ///< undoes what was done
};

/// What came of a step.
struct CommitResult {
  int error = 0;
  std::string message;
  bool committed = false;  ///< failed, and yet to be undone
  bool busy = false;       ///< failed, as others were faster every time
};

/// One result per step. `nft`: chains of IP are looked at as well, not only those of bridges. EBUSY
/// and `busy` when others change the rules faster than they can be looked at.
[[nodiscard]] std::vector<CommitResult> commit(io::Host& host, Ruleset& ruleset, bool nft,
                                               std::span<const ChainStep> steps);

}  // namespace plumbline::firewall
