// What of other kinds is told by the links alone: which tunnels there are to ask for, and whose
// they are.

#pragma once

#include "plumbline/state/state.hpp"

namespace plumbline::kernel {

/// What is asked for by the names of links.
[[nodiscard]] Scope named_by_links(const State& links);
/// A tunnel is ours as its link is: the device itself says nothing of it.
void mark_as_links(State& state);

}  // namespace plumbline::kernel
