// All that a simulated namespace holds, as lines without an index or a handle in them: what was
// removed and made again as it was gives the same lines.

#pragma once

#include <string>
#include <vector>

#include "tests/sim/namespace.hpp"

namespace plumbline::sim {

/// Sorted, but for what has an order of its own: rules of a chain.
[[nodiscard]] std::vector<std::string> described(const Namespace& there);

}  // namespace plumbline::sim
