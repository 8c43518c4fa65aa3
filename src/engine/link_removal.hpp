// Takes many links away at a time.
//
// Those to go are moved into an interface group that nobody is in, and the group is removed: some
// at a time, as all other changes of links on the machine wait meanwhile. No other link is touched.

#pragma once

#include <span>
#include <vector>

#include "batch.hpp"

namespace plumbline::engine {

/// Whether remove_links() is for it: the removal of a link that goes with its group.
[[nodiscard]] bool is_bulk_removal(const StepRun& move);

/// One result per move from the front of `moves`, all of them bulk removals, and as many as were
/// tried: none after a failed one's fellows. Nothing at all, and nothing done, when there is no
/// group to be had. A link that is gone by now counts as removed.
[[nodiscard]] std::vector<RunResult> remove_links(io::Host& host, std::span<const StepRun> moves,
                                                  const LinkNames& names);

}  // namespace plumbline::engine
