// Whether somebody else's object can become ours as it is.

#pragma once

#include <string>

#include "plumbline/state/state.hpp"

namespace plumbline::kernel {

/// Why an object of somebody else, one of `have`, cannot be adopted; empty when it can.
[[nodiscard]] std::string why_not_adoptable(const State& have, const Resource& object,
                                            const Mark& mark);

}  // namespace plumbline::kernel
