// Whether somebody else's object can become ours as it is, and the words that say how.

#pragma once

#include <string>

#include "plumbline/plan/plan.hpp"

namespace plumbline {

/// Why an object of somebody else, one of `have`, cannot be adopted; empty when it can.
[[nodiscard]] std::string why_not_adoptable(const State& have, const Resource& object,
                                            const Mark& mark);

/// The command for a shell: `plumbline adopt 'link br0'`.
[[nodiscard]] std::string adopt_command(const Key& key);

}  // namespace plumbline
