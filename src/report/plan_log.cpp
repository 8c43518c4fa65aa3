#include "plumbline/report/plan_log.hpp"

#include <array>
#include <string_view>
#include <system_error>
#include <utility>

#include "object_words.hpp"

namespace plumbline::report {

std::vector<std::string> done_lines(const Plan& plan) {
  if (plan.empty()) return {closing_of(plan)};
  std::vector<std::string> lines;
  for (const Object& object : objects(plan)) {
    lines.push_back(std::string(sign_of(object.change)) + " " + words_of(object));
    for (const std::string& rule : rules_of(object)) lines.push_back("      " + rule);
  }
  return lines;
}

std::string done_summary(const Plan& plan) {
  const Summary done = summary(plan);
  std::string text;
  const std::array<std::pair<std::size_t, std::string_view>, 4> parts{{{done.create, " created"},
                                                                       {done.update, " updated"},
                                                                       {done.replace, " replaced"},
                                                                       {done.remove, " removed"}}};
  for (const auto& [count, what] : parts) {
    if (count == 0) continue;
    if (!text.empty()) text += ", ";
    text += std::to_string(count);
    text += what;
  }
  return text;
}

std::vector<std::string> blocked_lines(const Plan& plan) {
  std::vector<std::string> lines;
  for (const Blocked& blocked : plan.blocked) {
    lines.push_back("blocked: " + format(blocked.key) + " waits for " + waits_of(blocked));
  }
  return lines;
}

std::vector<std::string> failure_lines(const Plan& plan, const engine::Report& report) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < report.steps.size() && i < plan.steps.size(); ++i) {
    const engine::StepReport& step = report.steps[i];
    if (step.result != engine::StepResult::failed) continue;
    const std::string reason =
        step.message.empty() ? std::generic_category().message(step.error) : step.message;
    const std::string code = step.busy ? std::string(engine::busy_code) + ": " : "";
    lines.push_back("failed: " + format(plan.steps[i].key) + ": " + code + reason);
  }
  for (const std::string& what : report.left_behind) {
    lines.push_back("not as it was before the failure: " + what);
  }
  if (report.left_behind.empty()) {
    lines.emplace_back("a step failed and the pass was undone; trying again later");
  }
  return lines;
}

std::vector<std::string> lasting_lines(const engine::Outcome& outcome) {
  std::vector<std::string> lines;
  for (const std::string& what : outcome.not_put_back) {
    lines.push_back("could not be put back: " + what);
  }
  for (const std::string& key : outcome.unsettled) {
    lines.push_back("applied, but not as wanted: " + key);
  }
  return lines;
}

std::vector<std::string> lines_of(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> lines;
  for (const Diagnostic& diagnostic : diagnostics) lines.push_back(format(diagnostic));
  return lines;
}

}  // namespace plumbline::report
