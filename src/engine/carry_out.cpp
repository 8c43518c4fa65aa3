#include <algorithm>
#include <iterator>
#include <utility>

#include "along.hpp"
#include "flows.hpp"
#include "look.hpp"
#include "not_put_back.hpp"
#include "planning.hpp"
#include "plumbline/engine/pass.hpp"
#include "plumbline/firewall/commit/conntrack_flush.hpp"
#include "plumbline/firewall/tables/ownership.hpp"
#include "restoration.hpp"
#include "settling.hpp"

namespace plumbline::engine {

namespace {

/// A plan on its way: what was found before it, and what is remembered of it.
struct Work {
  const Context& context;
  const Prepared& prepared;
  const Selection& select;
  LedgerFile& file;
  memory::SettingsAlong along;
  std::set<TableKey> bare;
  Ledger ledger;    ///< as it is on disk while the plan is carried out
  Ledger expected;  ///< as it will be afterwards
};

/// After a failed apply whose steps were undone: the rest of the way back, and what is left of it.
void put_back(const Work& work, Observed now, Report& report) {
  const Context& context = work.context;
  const Prepared& prepared = work.prepared;
  const State& before = prepared.have.state;
  const Look look_again = [&] {
    return look_after(context, prepared.desired, prepared.ledger.memory);
  };
  restore(context, {before, prepared.plan, look_again, context.compiler.uses_nft()}, now);
  std::set<TableKey> tables = firewall::tables_of(now.state);
  tables.merge(firewall::tables_of(prepared.plan));
  firewall::drop_empty(
      context.host,
      firewall::minus(firewall::minus(tables, firewall::tables_of(before)), work.bare));
  report.left_behind = differences(before, look_again().state, prepared.plan, context.options.mark);
}

/// The first commit was overtaken again and again: what differs from before is what others did.
bool did_nothing(const Report& report) {
  return std::ranges::all_of(report.steps, [](const StepReport& step) {
    return step.result == StepResult::skipped || step.busy;
  });
}

void warn(const std::vector<std::string>& messages, Outcome& outcome) {
  for (const std::string& words : messages) {
    outcome.warnings.push_back({Code::host_warning, words, {}, {}});
  }
}

/// Throws CannotRemember, unless the context may forget.
void prepare_ledger(const Work& work, Outcome& outcome) {
  try {
    work.file.prepare(work.ledger, work.expected, unexpected_bytes(work.prepared, work.ledger));
  } catch (const CannotRemember& fault) {
    if (!work.context.may_forget) throw;
    warn({std::string("not all is remembered: ") + fault.what()}, outcome);
  }
}

void write_ledger(LedgerFile& file, const Ledger& ledger, Outcome& outcome) {
  std::string fault = file.write(ledger);
  if (!fault.empty()) warn({std::move(fault)}, outcome);
  if (const std::string kept = file.take_kept(); !kept.empty()) {
    outcome.warnings.push_back(
        {Code::unreadable_file, "what was in the place of the ledger is kept as " + kept, {}, {}});
  }
}

/// A step failed, and those before it were undone as far as it goes.
void go_back(const Work& work, Outcome& outcome) {
  const Context& context = work.context;
  if (!did_nothing(outcome.report)) {
    put_back(work, look_after(context, work.prepared.desired, work.ledger.memory), outcome.report);
  }
  // What could not be put back may still be later, so what it was is kept.
  const bool is_back = outcome.report.left_behind.empty();
  if (is_back) write_ledger(work.file, work.prepared.ledger, outcome);
  outcome.result = is_back ? Result::rolled_back : Result::failed;
}

/// Whoever removes everything is told of all that is not as it was before us.
void name_what_stays(const Ledger& ledger, const State& want, const Plan& plan, Outcome& outcome) {
  if (want.empty()) outcome.not_put_back = blocked_returns(ledger.memory, want, plan);
}

/// All steps were done, but for what may stay. `next` is what there is now, and what is still to
/// do.
void settle(Work& work, Outcome& outcome, Prepared& next) {
  outcome.result = Result::applied;
  const Prepared& prepared = work.prepared;
  const State& want = prepared.desired.state;
  memory::Memory& memory = work.ledger.memory;
  // Also where nobody can look at what came of it.
  outcome.not_put_back = note_refusals(memory, prepared.plan, outcome.report);
  next.desired = prepared.desired;
  next.have = look_after(work.context, prepared.desired, memory);
  follow(memory, next.have.links, next.have.state);
  remember(memory, prepared.plan, want, outcome.report.found);
  if (!work.along.empty()) {
    note_followed(memory, prepared.plan, read_along(work.context, prepared));
  }
  next.ledger =
      settle_ledger(work.context, prepared, next.have, work.ledger, work.expected, work.bare);
  write_ledger(work.file, next.ledger, outcome);
  plan_for(work.context, next);
  name_what_stays(next.ledger, want, next.plan, outcome);
  name_networks(next.desired, next.plan);
  if (work.select) next.plan = work.select(next.plan);
}

/// Something could not be looked at after the change. An exception would say that nothing was done.
void tell_unseen(const Work& work, const std::string& fault, Outcome& outcome) {
  std::string words = "what came of it could not be looked at: " + fault;
  if (outcome.report.failed) {
    outcome.result = Result::failed;
    outcome.report.left_behind.push_back(std::move(words));
    return;
  }
  outcome.warnings.push_back({Code::host_warning, std::move(words), {}, {}});
  Ledger last = work.expected;
  // Nobody has dropped the tables yet that came with our chains.
  last.tables_made.insert(work.ledger.tables_made.begin(), work.ledger.tables_made.end());
  write_ledger(work.file, last, outcome);
}

/// Carries the plan out. When that went well, `next` is what there is then and what is still to do.
/// What is thrown was thrown before anything was changed.
Outcome carry_out_once(const Context& context, const Prepared& prepared, const Selection& select,
                       LedgerFile& file, Prepared& next) {
  Outcome outcome;
  Work work{context, prepared, select, file, read_along(context, prepared), {}, {}, {}};
  work.bare = firewall::bare_tables(context.host, context.compiler.uses_nft(), prepared.have.state,
                                    prepared.plan);
  // Written before anything is changed: a process killed on the way must still know what it found.
  Ledger& ledger = work.ledger = prepared.ledger;
  const State& want = prepared.desired.state;
  remember(ledger.memory, prepared.plan, want, work.along, prepared.have.links);
  note_objects(ledger.memory, want, prepared.have.links, prepared.have.state);
  ledger.flows_to_flush.merge(firewall::networks_with_flows(prepared.plan));
  work.expected = expected_ledger(prepared, ledger, work.bare);
  prepare_ledger(work, outcome);

  const auto after_guards = [&] { end_flows(context, prepared, ledger, outcome.warnings); };
  outcome.report =
      apply(context.host, context.ruleset, prepared.plan,
            {prepared.have.links, work.along, context.compiler.uses_nft(), after_guards});
  warn(outcome.report.warnings, outcome);
  try {
    if (outcome.report.failed) {
      go_back(work, outcome);
    } else {
      settle(work, outcome, next);
    }
  } catch (const std::exception& error) {
    tell_unseen(work, error.what(), outcome);
    next = {};
  }
  return outcome;
}

std::vector<std::string> keys_of(const Plan& plan) {
  std::vector<std::string> keys;
  for (const Step& step : plan.steps) keys.push_back(format(step.key));
  return keys;
}

void warn_of_failure(const Plan& plan, const Report& report, Outcome& outcome) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    if (report.steps[i].result != StepResult::failed) continue;
    words.push_back("while moved by the kernel it could not be put right: " +
                    format(plan.steps[i].key) + ": " + report.steps[i].message);
  }
  for (const std::string& what : report.left_behind) words.push_back(what);
  warn(words, outcome);
}

/// As `before`, with what there is now. Where that cannot be seen, what was to do is still to do.
Prepared look_and_plan(const Context& context, const Prepared& before, const Selection& select) {
  Prepared now = before;
  try {
    now.have = look_after(context, before.desired, before.ledger.memory);
    plan_for(context, now);
    name_networks(now.desired, now.plan);
    if (select) now.plan = select(now.plan);
  } catch (const std::runtime_error&) {
    now = before;
  }
  return now;
}

/// What is ours and judges nothing: firewall/observe/in_force.hpp. It stays right when the rest is
/// undone.
bool set_ours_right(const Context& context, const Prepared& prepared) {
  return has_ours(prepared.out_of_force) &&
         set_right(context.host, context.ruleset, context.compiler.uses_nft(),
                   prepared.out_of_force);
}

std::vector<Diagnostic> left_out_of_force(const Prepared& prepared, bool righted) {
  std::vector<firewall::OutOfForce> left = prepared.out_of_force;
  if (righted) std::erase_if(left, [](const firewall::OutOfForce& place) { return place.ours; });
  return tell(left, prepared.desired.origins);
}

/// Nothing is to be changed; what is remembered may still be another.
Outcome only_remember(const Context& context, const Prepared& prepared, LedgerFile& file) {
  Outcome outcome;
  Ledger ledger = prepared.ledger;
  end_flows(context, prepared, ledger, outcome.warnings);
  Ledger expected = expected_ledger(prepared, ledger, {});
  ledger = settle_ledger(context, prepared, prepared.have, std::move(ledger), std::move(expected));
  write_ledger(file, ledger, outcome);
  name_what_stays(ledger, prepared.desired.state, prepared.plan, outcome);
  return outcome;
}

/// After the plan was carried out: what the look at it found is to be done as well. That it was not
/// makes nothing undone of the plan; what there is to do is then in `next`.
void carry_out_the_rest(const Context& context, const Selection& select, LedgerFile& file,
                        Prepared& next, Outcome& outcome) {
  // A value that was as wanted without anybody having set it may follow what the plan changed: the
  // MTU and the MAC of a bridge follow its ports until they are set. No observation tells, so the
  // second look does.
  constexpr int most_rounds = 2;
  for (int round = 0; round < most_rounds; ++round) {
    if (next.plan.empty() || !next.plan.refusals.empty()) return;
    const Prepared again = std::exchange(next, {});
    Outcome more;
    try {
      more = carry_out_once(context, again, select, file, next);
    } catch (const std::exception& error) {
      more.result = Result::rolled_back;
      more.warnings.push_back({Code::host_warning, error.what(), {}, {}});
    }
    std::ranges::move(more.warnings, std::back_inserter(outcome.warnings));
    for (std::string& words : more.not_put_back) {
      const bool told =
          std::ranges::find(outcome.not_put_back, words) != outcome.not_put_back.end();
      if (!told) outcome.not_put_back.push_back(std::move(words));
    }
    if (more.result != Result::applied) {
      warn_of_failure(again.plan, more.report, outcome);
      next = look_and_plan(context, again, select);
      return;
    }
    std::ranges::move(keys_of(again.plan), std::back_inserter(outcome.settled));
  }
}

}  // namespace

Outcome carry_out(const Context& context, const Prepared& prepared, const Selection& select) {
  if (!prepared.plan.refusals.empty()) {
    Outcome outcome;
    outcome.result = Result::refused;
    return outcome;
  }
  LedgerFile file(context.directory, prepared.ledger, prepared.ledger_unusable);
  const bool righted = set_ours_right(context, prepared);
  if (prepared.plan.empty()) {
    Outcome outcome = only_remember(context, prepared, file);
    if (righted) outcome.result = Result::applied;
    outcome.not_in_force = left_out_of_force(prepared, righted);
    return outcome;
  }
  Prepared next;
  Outcome outcome = carry_out_once(context, prepared, select, file, next);
  if (outcome.result == Result::applied) {
    carry_out_the_rest(context, select, file, next, outcome);
    outcome.unsettled = keys_of(next.plan);
    outcome.not_in_force = tell(next.out_of_force, next.desired.origins);
    // Somebody has put something in the way meanwhile.
    for (const Diagnostic& refusal : next.plan.refusals) {
      outcome.unsettled.push_back(format(refusal));
    }
  }
  return outcome;
}

}  // namespace plumbline::engine
