#include "outcome_steps.hpp"

#include <map>

namespace plumbline::report {

namespace {

engine::StepReport worse(const engine::StepReport& a, const engine::StepReport& b) {
  if (a.result == engine::StepResult::failed || b.error == 0) return a;
  return b;
}

}  // namespace

std::vector<DoneStep> done_steps(const Plan& plan, const engine::Report& report) {
  std::vector<DoneStep> done;
  std::map<std::size_t, std::size_t> by_id;
  for (std::size_t i = 0; i < plan.steps.size() && i < report.steps.size(); ++i) {
    const auto [it, fresh] = by_id.emplace(plan.steps[i].id, done.size());
    if (fresh) {
      done.push_back({&plan.steps[i], report.steps[i]});
    } else {
      DoneStep& earlier = done[it->second];
      earlier.step = &plan.steps[i];
      earlier.report = worse(report.steps[i], earlier.report);
    }
  }
  return done;
}

}  // namespace plumbline::report
