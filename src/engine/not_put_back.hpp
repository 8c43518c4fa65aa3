// Values that cannot be put back: files of /proc/sys that cannot be written here, and what the
// kernel refused.
//
// They hold up nothing else. They stay in the ledger, a plan names them as blocked, and whoever
// removes everything tries again.

#pragma once

#include <string>
#include <vector>

#include "plumbline/engine/apply.hpp"
#include "plumbline/memory/memory.hpp"

namespace plumbline::engine {

/// Finds out what of the sysctls that are due to be put back cannot be written.
void find_refusals(io::Host& host, const State& want, const State& have, memory::Memory& memory);

/// Notes which steps of a plan that was carried out were refused; in words, with the reason.
[[nodiscard]] std::vector<std::string> note_refusals(memory::Memory& memory, const Plan& plan,
                                                     const Report& report);

/// What of `plan` is blocked and is something to be put back, in the same words.
[[nodiscard]] std::vector<std::string> blocked_returns(const memory::Memory& memory,
                                                       const State& want, const Plan& plan);

}  // namespace plumbline::engine
