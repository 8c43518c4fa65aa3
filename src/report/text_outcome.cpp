#include <algorithm>

#include "outcome_steps.hpp"
#include "text.hpp"

namespace plumbline::report {

namespace {

bool is_as_wanted(const engine::Outcome& outcome) {
  return outcome.unsettled.empty() && outcome.not_in_force.empty();
}

std::string not_back(const engine::Outcome& outcome) {
  if (outcome.not_put_back.empty()) return {};
  std::string text = "What was before could not all be put back, the rest is done:\n";
  for (const std::string& what : outcome.not_put_back) text += "  " + printable(what) + "\n";
  return text;
}

}  // namespace

bool is_good(const engine::Outcome& outcome) {
  return outcome.result == engine::Result::applied && is_as_wanted(outcome) &&
         outcome.not_put_back.empty();
}

std::string to_text(const Plan& plan, const engine::Outcome& outcome, std::string_view done) {
  std::string text;
  for (const DoneStep& step : done_steps(plan, outcome.report)) {
    if (step.report.error == 0) continue;
    text += "failed: " + printable(format(step.step->key)) + ": " +
            (step.report.busy ? std::string(engine::busy_code) + ": " : "") +
            printable(step.report.message) + "\n";
  }
  const auto undone = std::ranges::count(outcome.report.steps, engine::StepResult::undone,
                                         &engine::StepReport::result);
  switch (outcome.result) {
    case engine::Result::refused:
      break;
    case engine::Result::unchanged:
      text += not_back(outcome);
      break;
    case engine::Result::applied:
      for (const std::string& key : outcome.settled) {
        text += "put right as well, moved by the kernel meanwhile: " + printable(key) + "\n";
      }
      if (!is_as_wanted(outcome)) text += "Done, but these are not as wanted:\n";
      for (const std::string& key : outcome.unsettled) text += "  " + printable(key) + "\n";
      for (const Diagnostic& place : outcome.not_in_force) text += "  " + format(place) + "\n";
      text += not_back(outcome);
      if (is_good(outcome)) text += std::string(done) + "\n";
      break;
    case engine::Result::rolled_back:
      text += "Rolled back: " + std::to_string(undone) +
              " steps undone. The host is as it was before.\n";
      break;
    case engine::Result::failed:
      text += "The rollback could not restore everything:\n";
      for (const std::string& what : outcome.report.left_behind) {
        text += "  " + printable(what) + "\n";
      }
      break;
  }
  return text;
}

}  // namespace plumbline::report
