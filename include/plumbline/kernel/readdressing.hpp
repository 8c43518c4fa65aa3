// Another mark for an IPv4 address where the kernel does not give it one in place.
//
// The address is removed and added again, while a second address and a route of ours hold its
// place.

#pragma once

#include <optional>
#include <vector>

#include "plumbline/state/step.hpp"

namespace plumbline::kernel {

struct Readdressing {
  std::vector<Step> steps;  ///< in this order, each after the one before
  /// It cannot be done: the kernel would take this one along.
  std::optional<Key> taken_along;
};

/// From `theirs` to `ours`, which are one object. Nothing for what is no IPv4 address.
[[nodiscard]] std::optional<Readdressing> readdressing(const State& now, const Resource& theirs,
                                                       const Resource& ours);

}  // namespace plumbline::kernel
