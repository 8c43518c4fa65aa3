// Values as text for people.

#pragma once

#include <string>
#include <vector>

#include "plumbline/doctor/doctor.hpp"
#include "plumbline/engine/pass.hpp"

namespace plumbline::report {

/// One line per object, then what is blocked, warnings, and the closing sentence. The same plan
/// gives the same bytes. `colour`: ANSI sequences on the signs.
[[nodiscard]] std::string to_text(const Plan& plan, bool colour);
/// `done`: the sentence that it ends with when all went well.
[[nodiscard]] std::string to_text(const Plan& plan, const engine::Outcome& outcome,
                                  std::string_view done);
/// Applied, and nothing is other than it was meant to be.
[[nodiscard]] bool is_good(const engine::Outcome& outcome);
/// A table, one line per interface.
[[nodiscard]] std::string to_text(const std::vector<spec::Assignment>& guests);
[[nodiscard]] std::string to_text(const std::vector<doctor::Finding>& findings, bool colour);

}  // namespace plumbline::report
