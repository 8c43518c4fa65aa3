#include "terminal.hpp"

#include <cstdio>
#include <string_view>

#include "output.hpp"
#include "undisturbed.hpp"

namespace plumbline::cli {

namespace {

int exit_status(engine::Result result) {
  switch (result) {
    case engine::Result::rolled_back:
      return exit_rolled_back;
    case engine::Result::failed:
      return exit_left_behind;
    case engine::Result::refused:
      return exit_refused;
    case engine::Result::unchanged:
    case engine::Result::applied:
      break;
  }
  return exit_done;
}

/// All is done, but what was before us may not all be back.
int exit_status(const engine::Outcome& outcome) {
  const int status = exit_status(outcome.result);
  return status == exit_done && !outcome.not_put_back.empty() ? exit_left_behind : status;
}

}  // namespace

Terminal::Terminal(const Options& options, report::Operation operation)
    : report_(renderer(options)), operation_(operation), asks_(!options.yes) {}

void Terminal::warn(const std::vector<Diagnostic>& warnings) { print(report_->warnings(warnings)); }

void Terminal::show(const Plan& plan) { print(report_->proposal(operation_, plan)); }

bool Terminal::agrees() {
  const std::string question(report::question(operation_));
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  char answer[8] = {};
  if (std::fgets(answer, sizeof answer, stdin) == nullptr) return false;
  const std::string_view text = answer;
  return text == "y\n" || text == "yes\n" || text == "Y\n";
}

void Terminal::begins() { stay_undisturbed(); }

int Terminal::end(const engine::Ended& ended) {
  if (!ended.errors.empty()) {
    print(report_->errors(ended.errors));
    return exit_error;
  }
  if (!ended.refusals.empty()) {
    print(report_->refusal(ended.refusals));
    return exit_refused;
  }
  print(report_->outcome(operation_, ended.prepared, ended.outcome));
  return exit_status(ended.outcome);
}

}  // namespace plumbline::cli
