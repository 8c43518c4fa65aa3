// The state a plan leaves behind, with what the kernel does by itself (kernel/taken_along.hpp).

#pragma once

#include "plumbline/plan/plan.hpp"

namespace plumbline::plan {

/// The state after every step of the plan. Where the plan leaves a value to the kernel (a MAC, an
/// MTU) it is left open here too; complete() with what is observed closes it.
[[nodiscard]] State predict(State have, const Plan& plan);

}  // namespace plumbline::plan
