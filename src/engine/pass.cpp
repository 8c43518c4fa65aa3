#include "plumbline/engine/pass.hpp"

#include <algorithm>
#include <utility>

#include "look.hpp"
#include "made_tables.hpp"
#include "plumbline/engine/flows.hpp"
#include "restoration.hpp"

namespace plumbline::engine {

namespace {

std::vector<IfName> link_list(const State& state) {
  std::vector<IfName> names;
  for (const Link& link : state.of<Link>()) names.push_back(link.name);
  return names;
}

/// What the kernel will change along with each sysctl that the plan writes, as it is now.
SysctlsAlong read_along(const Workshop& workshop, const Prepared& prepared) {
  const std::vector<IfName> links = link_list(prepared.have.state);
  SysctlsAlong along;
  for (const Step& step : prepared.plan.steps) {
    const auto* sysctl = step.after ? std::get_if<Sysctl>(&*step.after) : nullptr;
    if (sysctl == nullptr) continue;
    std::vector<wire::Request> reads;
    for (const std::string& path : changed_along(*sysctl, links)) {
      reads.emplace_back(wire::SysctlRead{path});
    }
    const std::vector<wire::Reply> replies = workshop.host.exchange(reads);
    for (std::size_t i = 0; i < reads.size(); ++i) {
      if (replies[i].error != 0) continue;  // a link that is gone by now
      along[sysctl->path].push_back({std::get<wire::SysctlRead>(reads[i]).path, replies[i].text});
    }
  }
  return along;
}

Plan plan_for(const Workshop& workshop, const Prepared& prepared) {
  PlanOptions options = workshop.options;
  options.chains = prepared.desired.chains;
  return make_plan(prepared.have.state, prepared.desired.state, prepared.ledger.memory,
                   prepared.desired.origins, options);
}

/// Networks depend on what the host has; everything else was known when the files were read.
spec::Desired with_facts(const Workshop& workshop, spec::Desired desired, const State& around,
                         const Ledger& ledger, Diagnostics& diagnostics) {
  if (!desired.source) return desired;
  const spec::Facts facts = spec::facts_of(around, ledger.assignments, workshop.options.mark);
  const auto source = desired.source;
  desired = spec::expand(*source, facts, workshop.options.mark, diagnostics);
  desired.source = source;
  return desired;
}

/// Says of each step which networks it is for; of a TAP that goes, which it was for.
void name_networks(const spec::Desired& desired, Plan& plan) {
  for (Step& step : plan.steps) {
    const auto found = desired.networks.find(step.key);
    if (found != desired.networks.end()) {
      step.networks = found->second;
    } else if (const auto* link = step.before ? std::get_if<Link>(&*step.before) : nullptr) {
      const auto assignment = spec::parse_assignment(link->assignment, link->name);
      if (assignment) step.networks = {format(assignment->network)};
    }
  }
}

/// After success: what was put back is forgotten, what was applied is noted, empty tables go.
Ledger settle_ledger(const Workshop& workshop, const Prepared& prepared, const State& now,
                     Ledger ledger, const std::set<TableKey>& bare = {}) {
  const State& want = prepared.desired.state;
  forget(ledger.memory, want);
  std::erase_if(ledger.along, [&](const auto& entry) {
    return ledger.memory.earlier.template find<Sysctl>(Sysctl::Key{entry.first}) == nullptr;
  });
  std::set<std::string> blocked;
  for (const Blocked& object : prepared.plan.blocked) blocked.insert(format(object.key));
  ledger.memory.applied.clear();
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : want.of<K>()) {
      if (!blocked.contains(format(key(value)))) note_applied(ledger.memory.applied, value);
    }
  });
  ledger.assignments = spec::assignments_of(prepared.desired.assigned);
  const std::set<TableKey> unused = minus(ledger.tables_made, tables_of(want));
  if (!unused.empty()) {
    drop_empty(workshop.host, unused);
    ledger.tables_made = minus(ledger.tables_made, unused);
  }
  for (const TableKey& table : minus(tables_of(now), tables_of(prepared.have.state))) {
    if (!unused.contains(table) && !bare.contains(table)) ledger.tables_made.insert(table);
  }
  if (ledger != prepared.ledger) write_ledger(workshop.directory, ledger);
  return ledger;
}

/// After a failed apply whose steps were undone: the rest of the way back, and what is left of it.
void put_back(const Workshop& workshop, const Prepared& prepared, const std::set<TableKey>& bare,
              Observed now, Report& report) {
  const State& before = prepared.have.state;
  const Look look_again = [&] {
    return look_after(workshop, prepared.desired, prepared.ledger.memory.earlier);
  };
  restore(workshop, {before, prepared.plan, look_again, workshop.compiler.linked()}, now);
  std::set<TableKey> tables = tables_of(now.state);
  tables.merge(tables_of(prepared.plan));
  drop_empty(workshop.host, minus(minus(tables, tables_of(before)), bare));
  report.left_behind = differences(before, look_again().state, workshop.options.mark);
}

/// The first commit was overtaken again and again: what differs from before is what others did.
bool did_nothing(const Report& report) {
  return std::ranges::all_of(report.steps, [](const StepReport& step) {
    return step.result == StepResult::skipped || step.busy;
  });
}

/// What flowed before the guards were in; what cannot be ended now is tried again by the next pass.
void end_flows(const Workshop& workshop, const Prepared& prepared, Ledger& ledger,
               std::vector<Diagnostic>& warnings) {
  if (ledger.unended.empty()) return;
  std::string words =
      forget_flows(workshop.host, ledger.unended, prepared.desired, prepared.have.state);
  if (words.empty()) {
    ledger.unended.clear();
  } else {
    warnings.push_back({Code::host_warning, std::move(words), {}, {}});
  }
}

void warn(const std::vector<std::string>& messages, Outcome& outcome) {
  for (const std::string& words : messages) {
    outcome.warnings.push_back({Code::host_warning, words, {}, {}});
  }
}

/// Carries the plan out. When that went well, `next` is what there is then and what is still to do.
Outcome carry_out_once(const Workshop& workshop, const Prepared& prepared, const Selection& select,
                       Prepared& next) {
  Outcome outcome;
  // Written before anything is changed: a process killed on the way must still know what it found.
  Ledger ledger = prepared.ledger;
  const SysctlsAlong along = read_along(workshop, prepared);
  const std::set<TableKey> bare =
      bare_tables(workshop.host, workshop.compiler.linked(), prepared.have.state, prepared.plan);
  remember(ledger.memory, prepared.plan);
  ledger.along.insert(along.begin(), along.end());
  ledger.unended.merge(networks_with_flows(prepared.plan));
  if (ledger != prepared.ledger) write_ledger(workshop.directory, ledger);

  const auto guarded = [&] { end_flows(workshop, prepared, ledger, outcome.warnings); };
  outcome.report =
      apply(workshop.host, workshop.ruleset, prepared.plan,
            {prepared.have.links, along, ledger.along, workshop.compiler.linked(), guarded});
  warn(outcome.report.warnings, outcome);
  Observed now = look_after(workshop, prepared.desired, ledger.memory.earlier);
  if (outcome.report.failed) {
    if (!did_nothing(outcome.report)) {
      put_back(workshop, prepared, bare, std::move(now), outcome.report);
    }
    // What could not be put back may still be later, so what it was is kept.
    const bool is_back = outcome.report.left_behind.empty();
    if (is_back) write_ledger(workshop.directory, prepared.ledger);
    outcome.result = is_back ? Result::rolled_back : Result::failed;
    return outcome;
  }
  outcome.result = Result::applied;
  remember(ledger.memory, prepared.plan, outcome.report.found);
  next.desired = prepared.desired;
  next.ledger = settle_ledger(workshop, prepared, now.state, std::move(ledger), bare);
  next.have = std::move(now);
  next.plan = plan_for(workshop, next);
  name_networks(next.desired, next.plan);
  if (select) next.plan = select(next.plan);
  return outcome;
}

std::vector<std::string> keys_of(const Plan& plan) {
  std::vector<std::string> keys;
  for (const Step& step : plan.steps) keys.push_back(format(step.key));
  return keys;
}

}  // namespace

spec::Desired read_spec(const std::vector<std::string>& sources, FileReader& files,
                        const Mark& mark, Diagnostics& diagnostics) {
  spec::Spec spec = spec::load(sources, files, diagnostics);
  if (!diagnostics.ok()) return {};
  if (spec.networks.empty()) return spec::expand(std::move(spec), mark);
  const auto source = std::make_shared<const spec::Spec>(std::move(spec));
  Diagnostics found;
  spec::Desired desired = spec::expand(*source, spec::Facts(), mark, found);
  desired.source = source;
  std::ranges::move(found.errors, std::back_inserter(diagnostics.errors));
  return desired;
}

std::vector<spec::Assignment> guests_on(const Workshop& workshop) {
  return spec::facts_of(look_around(workshop.host).state, {}, workshop.options.mark).assignments;
}

Observed observe_for_show(const Workshop& workshop, const Ledger& ledger, bool all) {
  Observed have =
      look(workshop, spec::Desired(), ledger.memory.earlier, look_around(workshop.host));
  workshop.ruleset.name_rules(workshop.host, workshop.compiler.book(), all, have.state);
  return have;
}

Prepared prepare(const Workshop& workshop, spec::Desired desired) {
  Prepared prepared;
  std::string warning;
  prepared.ledger = read_ledger(workshop.directory, warning);
  if (!warning.empty()) {
    prepared.warnings.push_back({Code::unreadable_file, std::move(warning), {}, {}});
  }
  Diagnostics diagnostics;
  Observed around = look_around(workshop.host);
  know_by_place(around.state, prepared.ledger.assignments, workshop.options.mark);
  prepared.desired =
      with_facts(workshop, std::move(desired), around.state, prepared.ledger, diagnostics);
  if (!diagnostics.ok()) {
    prepared.errors = std::move(diagnostics.errors);
    return prepared;
  }
  prepared.have =
      look(workshop, prepared.desired, prepared.ledger.memory.earlier, std::move(around));
  for (const std::string& words : prepared.have.warnings) {
    prepared.warnings.push_back({Code::host_warning, words, {}, {}});
  }
  workshop.compiler.compile(prepared.desired, prepared.have.state, diagnostics);
  diagnostics.close();
  name_rules(workshop, prepared.have.state);
  prepared.errors = std::move(diagnostics.errors);
  std::ranges::move(diagnostics.warnings, std::back_inserter(prepared.warnings));
  if (prepared.errors.empty()) {
    prepared.plan = plan_for(workshop, prepared);
    name_networks(prepared.desired, prepared.plan);
  }
  return prepared;
}

std::string_view format(Result result) {
  switch (result) {
    case Result::unchanged:
      return "unchanged";
    case Result::applied:
      return "applied";
    case Result::rolled_back:
      return "rolled-back";
    case Result::refused:
      return "refused";
    case Result::failed:
      return "failed";
  }
  return "unknown";
}

Outcome carry_out(const Workshop& workshop, const Prepared& prepared, const Selection& select) {
  Outcome outcome;
  if (!prepared.plan.refusals.empty()) {
    outcome.result = Result::refused;
    return outcome;
  }
  if (prepared.plan.empty()) {
    Ledger ledger = prepared.ledger;
    end_flows(workshop, prepared, ledger, outcome.warnings);
    settle_ledger(workshop, prepared, prepared.have.state, std::move(ledger));
    return outcome;
  }
  Prepared next;
  outcome = carry_out_once(workshop, prepared, select, next);
  // A value that was as wanted without anybody having set it may follow what the plan changed: the
  // MTU and the MAC of a bridge follow its ports until they are set. No observation tells, so the
  // second look does.
  constexpr int most_rounds = 2;
  for (int round = 0; round < most_rounds && outcome.result == Result::applied; ++round) {
    if (next.plan.empty() || !next.plan.refusals.empty()) break;
    const Prepared again = std::exchange(next, {});
    Outcome more = carry_out_once(workshop, again, select, next);
    std::ranges::move(more.warnings, std::back_inserter(outcome.warnings));
    if (more.result != Result::applied) {
      if (more.result == Result::failed) outcome.result = Result::failed;
      outcome.report.left_behind = std::move(more.report.left_behind);
      next = again;
      break;
    }
    std::ranges::move(keys_of(again.plan), std::back_inserter(outcome.settled));
  }
  outcome.unsettled = keys_of(next.plan);
  return outcome;
}

}  // namespace plumbline::engine
