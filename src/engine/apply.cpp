#include "plumbline/engine/apply.hpp"

#include <algorithm>
#include <optional>
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

std::string words_for(const MoveResult& result) {
  const std::string reason = std::generic_category().message(result.error);
  return result.message.empty() ? reason : result.message + " (" + reason + ")";
}

/// Carries out the steps in order until one fails. Says which were begun, in the order they were.
std::vector<Move> go_forwards(Sender& sender, const Plan& plan, Report& report) {
  std::vector<Move> moves;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) moves.push_back({i, &plan.steps[i], false});
  std::vector<Move> begun;
  std::size_t next = 0;
  while (next < moves.size() && !report.failed) {
    const std::vector<MoveResult> results = sender.send(std::span(moves).subspan(next));
    for (std::size_t i = 0; i < results.size(); ++i) {
      StepReport& step = report.steps[next + i];
      const bool failed = results[i].error != 0;
      step.result = failed ? StepResult::failed : StepResult::done;
      if (failed) {
        step.error = results[i].error;
        step.message = words_for(results[i]);
        report.failed = true;
      }
      if (!failed || results[i].partial) begun.push_back(moves[next + i]);
    }
    next += results.size();
  }
  return begun;
}

/// The present value of what a step is about, if there is one.
std::optional<Resource> present(io::Host& host, const Step& step) {
  Scope scope;
  if (const auto* sysctl = std::get_if<Sysctl::Key>(&step.key)) scope.sysctls = {sysctl->path};
  const State now = observe(host, scope).state;
  std::optional<Resource> value;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if (const auto* wanted = std::get_if<typename K::Key>(&step.key)) {
      if (const K* found = now.find<K>(*wanted)) value = *found;
    }
  });
  return value;
}

/// Undoes a step of which only the first requests were done: from what is there, whatever that is.
void undo_half(io::Host& host, Sender& sender, const Move& move, Report& report) {
  Step back;
  back.key = move.step->key;
  back.phase = move.step->phase;
  back.before = present(host, *move.step);
  back.after = move.step->before;
  if (!back.before && !back.after) return;
  const Move way_back{move.position, &back, false};
  const MoveResult result = sender.send(std::span(&way_back, 1)).front();
  if (result.error != 0) {
    report.left_behind.push_back(format(back.key) + ": " + words_for(result));
  }
}

void go_backwards(io::Host& host, Sender& sender, std::vector<Move> begun, Report& report) {
  std::ranges::reverse(begun);
  // Halves first: they were the last to be begun, and nothing done depends on them.
  std::erase_if(begun, [&](const Move& move) {
    const bool half = report.steps[move.position].result == StepResult::failed;
    if (half) undo_half(host, sender, move, report);
    return half;
  });
  for (Move& move : begun) move.backwards = true;
  std::size_t next = 0;
  while (next < begun.size()) {
    const std::vector<MoveResult> results = sender.send(std::span(begun).subspan(next));
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Move& move = begun[next + i];
      StepReport& step = report.steps[move.position];
      if (results[i].error == 0) {
        step.result = StepResult::undone;
      } else {
        step.error = results[i].error;
        step.message = words_for(results[i]);
        report.left_behind.push_back(format(move.step->key) + ": " + step.message);
      }
    }
    next += results.size();
  }
}

}  // namespace

Report apply(io::Host& host, const Plan& plan, Surroundings surroundings) {
  Report report;
  report.steps.resize(plan.steps.size());
  Sender sender(host, std::move(surroundings));
  std::vector<Move> begun = go_forwards(sender, plan, report);
  if (report.failed) go_backwards(host, sender, std::move(begun), report);
  return report;
}

}  // namespace plumbline::engine
