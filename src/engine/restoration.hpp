// Seeing to it that a failed apply leaves what was there before.
//
// Undoing steps in reverse is not always enough: a step may have been half done, and the kernel
// takes things along that no step named (the routes of a link go with its last address). So what is
// there is compared with what was, and the rest is put back from that.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plumbline/engine/pass.hpp"

namespace plumbline::engine {

/// In words, what is not as it was: `route inet main 10.9.0.0/16 is missing`. What the kernel makes
/// of itself, and may make again a little later, is not looked at: its own routes and link-local
/// addresses. Nor is what others made, changed or removed meanwhile, beyond the Reach of `plan`.
/// What was unfinished and is finished is as good as before.
[[nodiscard]] std::vector<std::string> differences(const State& before, const State& now,
                                                   const Plan& plan, const Mark& mark);

/// The steps from `now` back to `before`. Removes only what is ours, and changes only what `plan`
/// was about; but what is missing is made again: whatever is ours, and of others what went with
/// that.
[[nodiscard]] Plan way_back(const State& before, const State& now, const Plan& plan,
                            const Mark& mark);

/// Everything that is to be as it was, as it is now.
using Look = std::function<Observed()>;

/// What a failed apply is to be put back to.
struct Restoration {
  const State& before;
  const Plan& plan;  ///< that failed
  const Look& look;
  bool uses_nft = false;  ///< as Surroundings::uses_nft
};

/// Goes the way back from `now`, and says there what it came to. Each step by itself where not all
/// of them can be done: what cannot be put back holds up nothing else.
void restore(const Context& context, const Restoration& restoration, Observed& now);

}  // namespace plumbline::engine
