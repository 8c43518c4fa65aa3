#include "adopt.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <utility>

#include "plumbline/plan/adoption.hpp"
#include "restoration.hpp"

namespace plumbline::engine {

namespace {

Report apply_to(const Context& context, const Observed& now, const Plan& plan) {
  return apply(context.host, context.ruleset, plan, {now.links, {}, false});
}

void note_failure(StepReport& step, int error, std::string message) {
  step.result = StepResult::failed;
  step.error = error;
  step.message = std::move(message);
}

/// The kernel said yes to all, and still not all of it came to be.
void note_unexpected(const State& now, const Plan& plan, Report& report) {
  for (const std::size_t position : plan::not_adopted(now, plan)) {
    note_failure(report.steps.at(position), ESTALE,
                 "it did not become ours: somebody changed or removed it meanwhile");
    report.failed = true;
  }
}

/// What went wrong while addresses were removed and added again, as the failure of the step of
/// `plan` that it was done for.
void note_failure_of(const Plan& rest, const Report& second, const Plan& plan, Report& report) {
  for (std::size_t i = 0; i < rest.steps.size(); ++i) {
    const StepReport& part = second.steps[i];
    if (part.result != StepResult::failed) continue;
    const auto step = std::ranges::find(plan.steps, rest.steps[i].cause,
                                        [](const Step& one) { return std::optional(one.key); });
    const auto position = static_cast<std::size_t>(step - plan.steps.begin());
    note_failure(report.steps.at(position), part.error, part.message);
  }
  report.failed = true;
}

/// Why addresses cannot be removed and added again, each as the failure of its own step.
void note_refusals(const State& now, const Plan& plan, const std::vector<std::size_t>& unmarked,
                   Report& report) {
  for (const std::size_t position : unmarked) {
    const Plan one = plan::make_readdressing(now, plan, {position});
    if (one.refusals.empty()) continue;
    note_failure(report.steps.at(position), EOPNOTSUPP, one.refusals.front().message);
  }
  report.failed = true;
}

/// Marks by removing and adding what the kernel did not mark in place. Adds to `plan`, for the way
/// back, what was done; says in the report where it failed.
void finish_addresses(const Context& context, Observed& now, Plan& plan, Report& report) {
  const std::vector<std::size_t> unmarked = plan::not_adopted(now.state, plan);
  const Plan rest = plan::make_readdressing(now.state, plan, unmarked);
  if (rest.steps.empty() && rest.refusals.empty()) return;
  if (!rest.refusals.empty()) {
    note_refusals(now.state, plan, unmarked, report);
    return;
  }
  const Report second = apply_to(context, now, rest);
  if (second.failed) note_failure_of(rest, second, plan, report);
  plan.steps.insert(plan.steps.end(), rest.steps.begin(), rest.steps.end());
  now = look_around(context.host);
}

/// What `plan` changes and adds. What somebody else took away before its step came is not to be
/// brought back.
std::set<Key> touched_by(const Plan& plan, const std::set<Key>& vanished) {
  std::set<Key> keys;
  for (const Step& step : plan.steps) {
    if (step.after) keys.insert(key_of(*step.after));
    if (step.before && !vanished.contains(key_of(*step.before))) keys.insert(key_of(*step.before));
  }
  for (const Key& key : vanished) keys.erase(key);
  return keys;
}

/// Of the first steps of `plan`, those that the report is of. What is missing while it is removed
/// and added again is missing by us: steps behind these are for it.
std::set<Key> vanished(const Plan& plan, const Report& report, const State& now) {
  std::set<Key> by_us;
  for (std::size_t i = report.steps.size(); i < plan.steps.size(); ++i) {
    if (plan.steps[i].cause) by_us.insert(*plan.steps[i].cause);
  }
  std::set<Key> keys;
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    if (report.steps[i].result != StepResult::failed) continue;
    if (by_us.contains(plan.steps[i].key)) continue;
    const bool is_there =
        std::visit([&]<class K>(const K& value) { return now.find<K>(key(value)) != nullptr; },
                   *plan.steps[i].before);
    if (!is_there) keys.insert(key_of(*plan.steps[i].before));
  }
  return keys;
}

State part_of(const State& state, const std::set<Key>& keys) {
  State part;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : state.of<K>()) {
      if (keys.contains(Key(key(value)))) part.of<K>().push_back(value);
    }
  });
  return part;
}

/// Undoes what is still done of `plan`, and says what could not be.
void put_back(const Context& context, const State& before, const Plan& plan,
              const std::set<Key>& keys, Observed now, Report& report) {
  const State had = part_of(before, keys);
  now.state = part_of(now.state, keys);
  const Look look = [&] {
    Observed seen = look_around(context.host);
    seen.state = part_of(seen.state, keys);
    return seen;
  };
  restore(context, {had, plan, look, false}, now);
  report.left_behind = differences(had, now.state, plan, context.options.mark);
  if (!report.left_behind.empty()) return;
  for (StepReport& step : report.steps) {
    if (step.result == StepResult::done) step.result = StepResult::undone;
  }
}

}  // namespace

Prepared prepare_adoption(const Context& context, const std::vector<std::string>& keys) {
  Prepared prepared;
  prepared.have = look_around(context.host);
  plan::Adoption adoption = plan::make_adoption(prepared.have.state, keys, context.options.mark);
  prepared.plan = std::move(adoption.plan);
  prepared.errors = std::move(adoption.errors);
  return prepared;
}

Outcome adopt(const Context& context, const Prepared& prepared) {
  Outcome outcome;
  if (!prepared.errors.empty() || !prepared.plan.refusals.empty()) {
    outcome.result = Result::refused;
    return outcome;
  }
  if (prepared.plan.empty()) return outcome;
  Plan plan = prepared.plan;
  outcome.report = apply_to(context, prepared.have, plan);
  Observed now = look_around(context.host);
  if (!outcome.report.failed) finish_addresses(context, now, plan, outcome.report);
  if (!outcome.report.failed) note_unexpected(now.state, prepared.plan, outcome.report);
  if (outcome.report.failed) {
    const std::set<Key> gone = vanished(plan, outcome.report, now.state);
    put_back(context, prepared.have.state, plan, touched_by(plan, gone), std::move(now),
             outcome.report);
    const bool is_back = outcome.report.left_behind.empty();
    outcome.result = is_back ? Result::rolled_back : Result::failed;
    return outcome;
  }
  outcome.result = Result::applied;
  return outcome;
}

}  // namespace plumbline::engine
