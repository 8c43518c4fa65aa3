// What the log of `run` says of a plan and of what became of it: lines made of values.
//
// It logs nothing itself and decides nothing about levels: the daemon does. What is quoted from
// outside is as it came, but in the lines of done_lines(): whoever writes them makes them
// printable().

#pragma once

#include <string>
#include <vector>

#include "plumbline/engine/pass.hpp"

namespace plumbline::report {

/// A line for each object, as `plumbline plan` shows it, and for each rule of it; of a plan without
/// steps, why it has none. Printable already: a tunnel's public keys are shown.
[[nodiscard]] std::vector<std::string> done_lines(const Plan& plan);
/// `3 created, 1 updated`
[[nodiscard]] std::string done_summary(const Plan& plan);
/// `blocked: route … waits for link eth9`
[[nodiscard]] std::vector<std::string> blocked_lines(const Plan& plan);
/// Of an outcome that is no success: which steps failed, and what is not as it was.
[[nodiscard]] std::vector<std::string> failure_lines(const Plan& plan,
                                                     const engine::Report& report);
/// Of a success: what of it is not as it should be.
[[nodiscard]] std::vector<std::string> lasting_lines(const engine::Outcome& outcome);
[[nodiscard]] std::vector<std::string> lines_of(const std::vector<Diagnostic>& diagnostics);

}  // namespace plumbline::report
