// What to prefer among the steps that are ready to be done, and which commit a chain belongs to.

#pragma once

#include "order.hpp"

namespace plumbline::plan {

[[nodiscard]] Phase phase_of(const Node& node);
/// Lower is earlier.
[[nodiscard]] unsigned rank_of(const Node& node);
/// A total order: by rank, then as the kind says (is_made_before()), then by key.
[[nodiscard]] bool is_preferred(const Node& a, const Node& b);

}  // namespace plumbline::plan
