#include "plumbline/engine/apply.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <system_error>

#include "batch.hpp"

namespace plumbline::engine {

std::string_view format(StepResult result) {
  switch (result) {
    case StepResult::done:
      return "done";
    case StepResult::failed:
      return "failed";
    case StepResult::undone:
      return "undone";
    case StepResult::skipped:
      return "skipped";
  }
  return "unknown";
}

namespace {

/// How many there are: they come first.
std::size_t guard_steps(const Plan& plan) {
  const auto is_guard = [](const Step& step) { return step.phase == Phase::guard; };
  const auto behind = std::ranges::find_if_not(plan.steps, is_guard);
  return static_cast<std::size_t>(behind - plan.steps.begin());
}

std::string words_for(const RunResult& result) {
  const std::string reason = std::generic_category().message(result.error);
  return result.message.empty() ? reason : result.message + " (" + reason + ")";
}

/// What the host throws is the failure of the first move, of which it is not known what came of it:
/// it is undone, unless that makes again what may still be there. The caller's second look finds
/// that, and what came of those that went with it.
std::vector<RunResult> send(Sender& sender, std::span<const StepRun> moves) {
  try {
    return sender.send(moves);
  } catch (const std::exception& error) {
    const bool is_removal = to_value(moves.front()) == nullptr;
    return {{EIO, error.what(), !is_removal}};
  }
}

/// Carries out the steps in order until one fails, and adds those that were done.
void go_forwards(Sender& sender, std::span<const StepRun> moves, std::vector<StepRun>& done,
                 Report& report) {
  std::size_t next = 0;
  while (next < moves.size() && !report.failed) {
    const std::vector<RunResult> results = send(sender, moves.subspan(next));
    for (std::size_t i = 0; i < results.size(); ++i) {
      StepReport& step = report.steps[moves[next + i].position];
      const bool failed = results[i].error != 0;
      step.result = failed ? StepResult::failed : StepResult::done;
      if (results[i].error == ECANCELED) step.result = StepResult::skipped;
      if (failed) {
        step.error = results[i].error;
        step.message = words_for(results[i]);
        step.busy = results[i].busy;
        const bool unknown = results[i].in_effect || results[i].error == ECANCELED;
        report.failed = report.failed || unknown || !may_stay(*moves[next + i].step);
      }
      if (!failed || results[i].in_effect) done.push_back(moves[next + i]);
    }
    next += results.size();
  }
}

void go_backwards(Sender& sender, std::vector<StepRun> done, Report& report) {
  std::ranges::reverse(done);
  for (StepRun& move : done) move.backwards = true;
  std::size_t next = 0;
  while (next < done.size()) {
    const std::vector<RunResult> results = send(sender, std::span(done).subspan(next));
    for (std::size_t i = 0; i < results.size(); ++i) {
      const StepRun& move = done[next + i];
      StepReport& step = report.steps[move.position];
      if (results[i].error == 0) {
        if (step.result != StepResult::failed) step.result = StepResult::undone;
      } else {
        step.error = results[i].error;
        step.message = words_for(results[i]);
      }
    }
    next += results.size();
  }
}

/// It is no step: that it failed is nothing to undo anything for.
void call(const std::function<void()>& after_guards, Report& report) {
  try {
    after_guards();
  } catch (const std::exception& error) {
    report.warnings.emplace_back(error.what());
  }
}

}  // namespace

bool may_stay(const Step& step) {
  return step.why == Why::unwanted && step.action == Action::update && step.phase == Phase::main;
}

Report apply(io::Host& host, firewall::Ruleset& ruleset, const Plan& plan,
             Surroundings surroundings) {
  Report report;
  report.steps.resize(plan.steps.size());
  const std::function<void()> after_guards = std::move(surroundings.after_guards);
  Sender sender(host, ruleset, std::move(surroundings));
  std::vector<StepRun> moves;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) moves.push_back({i, &plan.steps[i], false});
  const std::size_t guards = guard_steps(plan);
  std::vector<StepRun> done;
  go_forwards(sender, std::span(moves).first(guards), done, report);
  if (!report.failed && after_guards) call(after_guards, report);
  go_forwards(sender, std::span(moves).subspan(guards), done, report);
  report.found = sender.found();
  if (report.failed) go_backwards(sender, std::move(done), report);
  return report;
}

}  // namespace plumbline::engine
