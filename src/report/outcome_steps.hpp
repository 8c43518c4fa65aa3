// An outcome's steps by object: of the two steps of a replacement the reader gets the worse.

#pragma once

#include <vector>

#include "plumbline/engine/pass.hpp"

namespace plumbline::report {

struct DoneStep {
  const Step* step;
  engine::StepReport report;
};

[[nodiscard]] std::vector<DoneStep> done_steps(const Plan& plan, const engine::Report& report);

}  // namespace plumbline::report
