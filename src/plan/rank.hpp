// What to prefer among the steps that are ready to be done, and which commit a chain belongs to.

#pragma once

#include "order.hpp"

namespace plumbline {

[[nodiscard]] Phase phase_of(const Node& node);
/// Lower is earlier.
[[nodiscard]] unsigned rank_of(const Node& node);
/// A total order: by rank, then key. Policy rules are made from the last to the first and removed
/// the other way. So what stands behind, such as an `unreachable`, is there before what leads past
/// it and goes after it; and it is linear in the kernel where the reverse is quadratic
/// (fib_nl_newrule() walks the list). Of one priority, the one that says less is made first and
/// removed last.
[[nodiscard]] bool is_preferred(const Node& a, const Node& b);

}  // namespace plumbline
