#include "reconciler.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include "log.hpp"
#include "plumbline/report/plan_log.hpp"

namespace plumbline::daemon {

namespace {

void append(std::vector<std::string>& to, std::vector<std::string> lines) {
  std::ranges::move(lines, std::back_inserter(to));
}

std::string seconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

std::string words_of(const Backoff& backoff) {
  const std::string fight = format(backoff.object.key) +
                            " had to be repaired again and again: something else keeps changing "
                            "it. ";
  if (backoff.object.stake == Stake::guard) {
    return fight + "It guards, so it is put back every time, " + seconds(backoff.length) +
           " later at most";
  }
  return fight + "Leaving it alone for " + seconds(backoff.length);
}

}  // namespace

Ending Reconciler::pass(bool read_files, std::string_view cause) {
  cause_ = cause;
  errors_.clear();
  warnings_.clear();
  converged_ = false;
  rules_judge_ = true;
  Ending ending = Ending::failed;
  try {
    if (read_files) this->read_files();
    append(errors_, report::lines_of(reading_.errors));
    append(warnings_, report::lines_of(reading_.warnings));
    ending = keep();
  } catch (const std::exception& error) {
    errors_.push_back(std::string("this pass cannot be made: ") + error.what());
  }
  if (ending == Ending::failed) keep_guards();
  log_conditions();
  return ending;
}

/// What stands in the way of the rest was said by the pass that failed.
void Reconciler::keep_guards() try {
  if (!in_force_) return;
  int holder = 0;
  const std::optional<engine::Lock> lock = take_lock(holder);
  if (!lock) return;
  engine::Prepared prepared = engine::prepare(context_, *in_force_);
  prepared.plan = guards_of(prepared.plan);
  if (!prepared.errors.empty() || prepared.idle()) return;
  engine::Context context = context_;
  context.may_forget = true;  // as carry_out_unremembered() has it
  const engine::Outcome outcome = engine::carry_out(context, prepared, guards_of);
  if (outcome.result == engine::Result::applied) log_success(prepared.plan, outcome);
} catch (const std::exception& error) {
  spdlog::debug("guards cannot be looked at: {}", printable(error.what()));
}

/// A reading with errors leaves no candidate: what the files said before they broke is not what
/// they say now.
void Reconciler::read_files() {
  reading_ = {};
  candidate_.reset();
  spec::Desired desired = engine::read_spec(sources_, files_, context_.options.mark, reading_);
  if (!reading_.ok()) return;
  if (in_force_ && in_force_->state == desired.state) {
    in_force_ = std::move(desired);
  } else {
    candidate_ = std::move(desired);
  }
}

/// A candidate that fails was undone. It stays the candidate, and what is in force is kept
/// meanwhile.
Ending Reconciler::keep() {
  if (candidate_ && !forgets_everything(*candidate_)) {
    if (const std::optional<Ending> ending = bring_about(*candidate_, true)) {
      if (*ending == Ending::settled) in_force_ = std::exchange(candidate_, std::nullopt);
      if (*ending != Ending::failed || !in_force_) return *ending;
      const std::optional<Ending> kept = bring_about(*in_force_, false);
      return kept == Ending::locked ? Ending::locked : Ending::failed;
    }
  }
  if (!in_force_) return Ending::settled;
  const std::optional<Ending> kept = bring_about(*in_force_, false);
  if (!kept) keep_guards();
  return kept.value_or(Ending::settled);
}

/// The plan refuses to remove everything of ours. It cannot see that a spec gives up everything
/// when somebody else has just removed what we had.
bool Reconciler::forgets_everything(const spec::Desired& desired) {
  const bool forgets = in_force_ && !in_force_->state.empty() && desired.state.empty() &&
                       !context_.options.allow_empty;
  if (forgets) {
    errors_.push_back(std::string(format(Code::would_remove_everything)) +
                      ": the files want nothing any more; the last spec that did stays in force");
  }
  return forgets;
}

/// Nothing when the spec cannot be carried out on this host as it is now. The lock is held only
/// while something is changed, and what was planned without it is planned again.
std::optional<Ending> Reconciler::bring_about(const spec::Desired& desired, bool fresh) {
  std::optional<engine::Lock> lock;
  while (true) {
    engine::Prepared prepared = engine::prepare(context_, desired);
    if (!acceptable(prepared)) return std::nullopt;
    const std::set<Contested> held = flap_backoff_.held(Clock::now());
    std::vector<Key> left_out;
    prepared.plan = without(prepared.plan, held, left_out);
    const bool idle = prepared.idle() && !fresh;
    if (idle || lock) {
      for (const Key& key : left_out) {
        if (held.contains({key, Stake::guard})) continue;  // for less than a second
        warnings_.push_back("left as somebody else made it for now: " + format(key));
      }
      append(warnings_, report::blocked_lines(prepared.plan));
      append(warnings_, report::lines_of(prepared.plan.warnings));
      append(warnings_, report::lines_of(prepared.warnings));
      blocked_ = prepared.plan.blocked.size();
      converged_ = idle;
      rules_judge_ = prepared.out_of_force.empty();
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
std::optional<engine::Lock> Reconciler::take_lock(int& holder) {
  try {
    return engine::Lock::take(context_.directory, holder);
  } catch (const io::NotPrivate& fault) {
    warnings_.push_back(std::string(engine::unsafe_state_code) + ": " + fault.what());
    return engine::Lock::of_namespace(holder);
  }
}

bool Reconciler::acceptable(const engine::Prepared& prepared) {
  append(errors_, report::lines_of(prepared.errors));
  append(errors_, report::lines_of(prepared.plan.refusals));
  return prepared.errors.empty() && prepared.plan.refusals.empty();
}

Ending Reconciler::carry_out(const engine::Prepared& prepared, const std::set<Contested>& held) {
  try {
    const auto select = [&](const Plan& plan) {
      std::vector<Key> left_out;
      return without(plan, held, left_out);
    };
    return tell(prepared.plan, engine::carry_out(context_, prepared, select));
  } catch (const engine::CannotRemember&) {
    return carry_out_unremembered(prepared, held);
  }
}

/// On a disk that is full nothing is changed whose value from before would be lost, but for guards:
/// these are not given up for the sake of what a policy was. Everything else goes on.
Ending Reconciler::carry_out_unremembered(const engine::Prepared& prepared,
                                          const std::set<Contested>& held) {
  std::set<Key> unremembered;
  for (const Key& key : engine::set_first(context_, prepared)) {
    if (!std::holds_alternative<SharedChain::Key>(key)) unremembered.insert(key);
  }
  std::vector<Key> left_out;
  engine::Prepared rest = prepared;
  rest.plan = without_all(prepared.plan, unremembered, left_out);
  for (const Key& key : left_out) {
    warnings_.push_back("left as it was, which cannot be remembered: " + format(key));
  }
  engine::Context context = context_;
  context.may_forget = true;
  const auto select = [&](const Plan& plan) {
    std::vector<Key> ignored;
    return without_all(without(plan, held, ignored), unremembered, ignored);
  };
  return tell(rest.plan, engine::carry_out(context, rest, select));
}

Ending Reconciler::tell(const Plan& plan, const engine::Outcome& outcome) {
  switch (outcome.result) {
    case engine::Result::unchanged:
    case engine::Result::applied:
      log_success(plan, outcome);
      converged_ = outcome.unsettled.empty() && outcome.not_put_back.empty();
      rules_judge_ = outcome.not_in_force.empty();
      return Ending::settled;
    case engine::Result::rolled_back:
    case engine::Result::refused:
    case engine::Result::failed:
      break;
  }
  append(warnings_, report::lines_of(outcome.warnings));
  append(errors_, report::failure_lines(plan, outcome.report));
  // Nothing was done, as others were faster: they are not left alone with the firewall for long.
  const bool busy = std::ranges::any_of(outcome.report.steps, &engine::StepReport::busy);
  return busy ? Ending::locked : Ending::failed;
}

void Reconciler::log_success(const Plan& plan, const engine::Outcome& outcome) {
  const bool quiet = log_steps(plan);
  append(warnings_, report::lines_of(outcome.warnings));
  if (!plan.empty()) {
    spdlog::log(quiet ? spdlog::level::debug : spdlog::level::info, "{} ({})",
                report::done_summary(plan), cause_);
  }
  for (const Backoff& backoff : flap_backoff_.repaired(repairs_of(plan), Clock::now())) {
    if (backoff.first) spdlog::warn("{}", printable(words_of(backoff)));
  }
  append(warnings_, report::lasting_lines(outcome));
}

/// One line for each step; a guard that is fought over is named when the fight begins, not at each
/// blow. Whether there was nothing else.
bool Reconciler::log_steps(const Plan& plan) const {
  const auto log = [](spdlog::level::level_enum level, const Plan& part) {
    for (const std::string& line : report::done_lines(part)) spdlog::log(level, "{}", line);
  };
  if (plan.empty()) {
    log(spdlog::level::info, plan);
    return true;
  }
  Plan blows;
  Plan news;
  for (const Step& step : plan.steps) {
    const bool blow = step.why == Why::drifted && stake_of(step) == Stake::guard &&
                      flap_backoff_.is_flapping(contested_by(step));
    (blow ? blows : news).steps.push_back(step);
  }
  if (!blows.empty()) log(spdlog::level::debug, blows);
  if (!news.empty()) log(spdlog::level::info, news);
  return news.empty();
}

void Reconciler::log_conditions() {
  const Conditions::Changes errors = known_errors_.update(errors_);
  const Conditions::Changes warnings = known_warnings_.update(warnings_);
  for (const std::string& line : errors.begun) spdlog::error("{}", printable(line));
  for (const std::string& line : warnings.begun) spdlog::warn("{}", printable(line));
  for (const std::vector<std::string>* over : {&errors.over, &warnings.over}) {
    for (const std::string& line : *over) spdlog::info("no longer: {}", printable(line));
  }
}

std::string Reconciler::status() const {
  std::string text = converged_ ? "as the spec says" : "not as the spec says";
  if (converged_ && !errors_.empty()) text = "as the last good spec says";
  if (!in_force_) text = "waiting for a spec that can be carried out";
  if (!rules_judge_) text += ", but not all rules are in force";
  if (blocked_ != 0) text += ", " + std::to_string(blocked_) + " blocked";
  if (!errors_.empty()) text += "; " + printable(errors_.front());
  return text;
}

}  // namespace plumbline::daemon
