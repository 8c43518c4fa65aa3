// Seeing to it that a failed apply leaves what was there before.
//
// Undoing steps in reverse is not always enough: a step may have been half done, and the kernel
// takes things along that no step named (the routes of a link go with its last address). So what is
// there is compared with what was, and the rest is put back from that.

#pragma once

#include <string>
#include <vector>

#include "plumbline/plan/plan.hpp"

namespace plumbline::engine {

/// In words, what is not as it was: `route inet main 10.9.0.0/16 is missing`. What the kernel makes
/// of itself, and may make again a little later, is not looked at: its own routes and link-local
/// addresses.
[[nodiscard]] std::vector<std::string> differences(const State& before, const State& now);

/// The steps from `now` back to `before`. Removes only what is ours, and changes only what `plan`
/// was about; but what is missing is made again, whoever's it was.
[[nodiscard]] Plan way_back(const State& before, const State& now, const Plan& plan,
                            const Mark& mark);

}  // namespace plumbline::engine
