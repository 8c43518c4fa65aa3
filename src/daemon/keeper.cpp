#include "keeper.hpp"

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

#include "log.hpp"
#include "story.hpp"

namespace plumbline::daemon {

namespace {

std::vector<std::string> lines_of(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> lines;
  for (const Diagnostic& diagnostic : diagnostics) lines.push_back(format(diagnostic));
  return lines;
}

void append(std::vector<std::string>& to, std::vector<std::string> lines) {
  std::ranges::move(lines, std::back_inserter(to));
}

std::string seconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

}  // namespace

Ending Keeper::pass(bool read_files, std::string_view cause) {
  cause_ = cause;
  errors_.clear();
  warnings_.clear();
  converged_ = false;
  Ending ending = Ending::failed;
  try {
    if (read_files) this->read_files();
    append(errors_, lines_of(reading_.errors));
    append(warnings_, lines_of(reading_.warnings));
    ending = keep();
  } catch (const std::exception& error) {
    errors_.push_back(std::string("this pass cannot be made: ") + error.what());
  }
  log_news();
  return ending;
}

/// A reading with errors leaves no candidate: what the files said before they broke is not what
/// they say now.
void Keeper::read_files() {
  reading_ = {};
  candidate_.reset();
  spec::Desired desired = engine::read_spec(sources_, files_, workshop_.options.mark, reading_);
  if (!reading_.ok()) return;
  if (in_force_ && in_force_->state == desired.state) {
    in_force_ = std::move(desired);
  } else {
    candidate_ = std::move(desired);
  }
}

/// A candidate that fails was undone. It stays the candidate, and what is in force is kept
/// meanwhile.
Ending Keeper::keep() {
  if (candidate_ && !forgets_everything(*candidate_)) {
    if (const std::optional<Ending> ending = bring_about(*candidate_, true)) {
      if (*ending == Ending::settled) in_force_ = std::exchange(candidate_, std::nullopt);
      if (*ending != Ending::failed || !in_force_) return *ending;
      const std::optional<Ending> kept = bring_about(*in_force_, false);
      return kept == Ending::locked ? Ending::locked : Ending::failed;
    }
  }
  if (!in_force_) return Ending::settled;
  return bring_about(*in_force_, false).value_or(Ending::settled);
}

/// The plan refuses to remove everything of ours. It cannot see that a spec gives up everything
/// when somebody else has just removed what we had.
bool Keeper::forgets_everything(const spec::Desired& desired) {
  const bool forgets = in_force_ && !in_force_->state.empty() && desired.state.empty() &&
                       !workshop_.options.allow_empty;
  if (forgets) {
    errors_.push_back(std::string(format(Code::would_remove_everything)) +
                      ": the files want nothing any more; the last spec that did stays in force");
  }
  return forgets;
}

/// Nothing when the spec cannot be carried out on this host as it is now. The lock is held only
/// while something is changed, and what was planned without it is planned again.
std::optional<Ending> Keeper::bring_about(const spec::Desired& desired, bool fresh) {
  std::optional<engine::Lock> lock;
  while (true) {
    engine::Prepared prepared = engine::prepare(workshop_, desired);
    if (!acceptable(prepared)) return std::nullopt;
    const std::set<Key> held = rivalry_.held(Clock::now());
    std::vector<Key> left_out;
    prepared.plan = without(prepared.plan, held, left_out);
    const bool idle = prepared.plan.empty() && prepared.ledger.unended.empty() && !fresh;
    if (idle || lock) {
      for (const Key& key : left_out) {
        warnings_.push_back("left as somebody else made it for now: " + format(key));
      }
      append(warnings_, tell_blocked(prepared.plan));
      append(warnings_, lines_of(prepared.plan.warnings));
      append(warnings_, lines_of(prepared.warnings));
      blocked_ = prepared.plan.blocked.size();
      converged_ = idle;
      return idle ? Ending::settled : carry_out(prepared, held);
    }
    int holder = 0;
    lock = take_lock(holder);
    if (!lock) {
      warnings_.push_back("waiting for another plumbline" +
                          (holder == 0 ? "" : ", pid " + std::to_string(holder)));
      return Ending::locked;
    }
  }
}

/// Files that are not ours alone are not used, and keep nobody from the watch.
std::optional<engine::Lock> Keeper::take_lock(int& holder) {
  try {
    return engine::Lock::take(workshop_.directory, holder);
  } catch (const io::NotPrivate& fault) {
    warnings_.push_back(std::string(engine::unsafe_state_code) + ": " + fault.what());
    return engine::Lock::of_namespace(holder);
  }
}

bool Keeper::acceptable(const engine::Prepared& prepared) {
  append(errors_, lines_of(prepared.errors));
  append(errors_, lines_of(prepared.plan.refusals));
  return prepared.errors.empty() && prepared.plan.refusals.empty();
}

Ending Keeper::carry_out(const engine::Prepared& prepared, const std::set<Key>& held) {
  try {
    const auto select = [&](const Plan& plan) {
      std::vector<Key> left_out;
      return without(plan, held, left_out);
    };
    return tell(prepared.plan, engine::carry_out(workshop_, prepared, select));
  } catch (const engine::CannotRemember&) {
    return carry_out_unremembered(prepared, held);
  }
}

/// On a disk that is full nothing is changed whose value from before would be lost, but for guards:
/// these are not given up for the sake of what a policy was. Everything else goes on.
Ending Keeper::carry_out_unremembered(const engine::Prepared& prepared, const std::set<Key>& held) {
  std::set<Key> unremembered;
  for (const Key& key : engine::set_first(prepared.ledger.memory, prepared.plan)) {
    if (!std::holds_alternative<SharedChain::Key>(key)) unremembered.insert(key);
  }
  std::vector<Key> left_out;
  engine::Prepared rest = prepared;
  rest.plan = without_all(prepared.plan, unremembered, left_out);
  for (const Key& key : left_out) {
    warnings_.push_back("left as it was, which cannot be remembered: " + format(key));
  }
  engine::Workshop workshop = workshop_;
  workshop.may_forget = true;
  const auto select = [&](const Plan& plan) {
    std::vector<Key> ignored;
    return without_all(without(plan, held, ignored), unremembered, ignored);
  };
  return tell(rest.plan, engine::carry_out(workshop, rest, select));
}

Ending Keeper::tell(const Plan& plan, const engine::Outcome& outcome) {
  switch (outcome.result) {
    case engine::Result::unchanged:
    case engine::Result::applied:
      log_success(plan, outcome);
      converged_ = outcome.unsettled.empty();
      return Ending::settled;
    case engine::Result::rolled_back:
    case engine::Result::refused:
    case engine::Result::failed:
      break;
  }
  append(warnings_, lines_of(outcome.warnings));
  log_failure(plan, outcome);
  return Ending::failed;
}

void Keeper::log_success(const Plan& plan, const engine::Outcome& outcome) {
  for (const std::string& line : tell_steps(plan)) spdlog::info("{}", printable(line));
  append(warnings_, lines_of(outcome.warnings));
  if (!plan.empty()) spdlog::info("{} ({})", tell_summary(plan), cause_);
  for (const Truce& truce : rivalry_.repaired(repairs_of(plan), Clock::now())) {
    spdlog::warn(
        "{} had to be repaired again and again: something else keeps changing it. Leaving "
        "it alone for {}",
        printable(format(truce.key)), seconds(truce.length));
  }
  for (const std::string& key : outcome.unsettled) {
    warnings_.push_back("applied, but not as wanted: " + key);
  }
}

void Keeper::log_failure(const Plan& plan, const engine::Outcome& outcome) {
  const engine::Report& report = outcome.report;
  for (std::size_t i = 0; i < report.steps.size() && i < plan.steps.size(); ++i) {
    const engine::StepReport& step = report.steps[i];
    if (step.result != engine::StepResult::failed) continue;
    const std::string reason =
        step.message.empty() ? std::generic_category().message(step.error) : step.message;
    const std::string code = step.busy ? std::string(engine::busy_code) + ": " : "";
    errors_.push_back("failed: " + format(plan.steps[i].key) + ": " + code + reason);
  }
  for (const std::string& what : report.left_behind) {
    errors_.push_back("not as it was before the failure: " + what);
  }
  if (report.left_behind.empty()) {
    errors_.push_back("a step failed and the pass was undone; trying again later");
  }
}

void Keeper::log_news() {
  const News::Changes errors = known_errors_.update(errors_);
  const News::Changes warnings = known_warnings_.update(warnings_);
  for (const std::string& line : errors.begun) spdlog::error("{}", printable(line));
  for (const std::string& line : warnings.begun) spdlog::warn("{}", printable(line));
  for (const std::vector<std::string>* over : {&errors.over, &warnings.over}) {
    for (const std::string& line : *over) spdlog::info("no longer: {}", printable(line));
  }
}

std::string Keeper::status() const {
  std::string text = converged_ ? "as the spec says" : "not as the spec says";
  if (converged_ && !errors_.empty()) text = "as the last good spec says";
  if (!in_force_) text = "waiting for a spec that can be carried out";
  if (blocked_ != 0) text += ", " + std::to_string(blocked_) + " blocked";
  if (!errors_.empty()) text += "; " + printable(errors_.front());
  return text;
}

}  // namespace plumbline::daemon
