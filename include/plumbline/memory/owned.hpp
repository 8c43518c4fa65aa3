// The part of what is observed that is ours: what `show` prints and `destroy` removes.

#pragma once

#include "plumbline/memory/memory.hpp"

namespace plumbline::memory {

/// Objects with our mark, and the sysctls and policies that `memory` says we set.
[[nodiscard]] State owned_part(const State& have, const Memory& memory, const Mark& mark);

}  // namespace plumbline::memory
