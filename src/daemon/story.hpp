// A plan in the past tense: what the log says of a pass that changed something.

#pragma once

#include <string>
#include <vector>

#include "plumbline/plan/plan.hpp"

namespace plumbline::daemon {

/// As `plumbline plan` shows them: sign, key, from what to what, and why.
[[nodiscard]] std::vector<std::string> tell_steps(const Plan& plan);
/// `3 created, 1 updated`
[[nodiscard]] std::string tell_summary(const Plan& plan);
/// `blocked: route … waits for link eth9`
[[nodiscard]] std::vector<std::string> tell_blocked(const Plan& plan);

}  // namespace plumbline::daemon
