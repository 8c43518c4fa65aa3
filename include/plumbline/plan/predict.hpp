// What the kernel does by itself when something is changed, and so the state a plan leaves behind.
//
// The one place that knows the kernel's cascades: a link takes its addresses and routes with it, a
// link that goes down loses its routes, a primary address takes its secondaries.

#pragma once

#include "plumbline/plan/plan.hpp"

namespace plumbline {

/// Carries the step out on `state`, cascades included, and returns the keys of what the kernel took
/// along. `state` stays sorted.
std::vector<Key> carry_out(State& state, const Step& step);

/// The state after every step of the plan. Where the plan leaves a value to the kernel (a MAC, an
/// MTU) it is left open here too; complete() with what is observed closes it.
[[nodiscard]] State predict(State have, const Plan& plan);

}  // namespace plumbline
