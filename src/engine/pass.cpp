#include "plumbline/engine/pass.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "look.hpp"
#include "not_put_back.hpp"
#include "planning.hpp"

namespace plumbline::engine {

namespace {

/// Networks depend on what the host has; everything else was known when the files were read.
spec::Desired with_facts(const Context& context, spec::Desired desired, const State& around,
                         const Ledger& ledger, Diagnostics& diagnostics) {
  if (!desired.source) return desired;
  const spec::Facts facts = spec::facts_of(around, ledger.assignments, context.options.mark);
  const auto source = desired.source;
  desired = spec::expand(*source, facts, context.options.mark, diagnostics);
  desired.source = source;
  return desired;
}

}  // namespace

void plan_for(const Context& context, Prepared& prepared) {
  plan::Options options = context.options;
  options.chains = prepared.desired.chains;
  prepared.plan = plan::make_plan(prepared.have.state, prepared.desired.state,
                                  prepared.ledger.memory, prepared.desired.origins, options);
  prepared.out_of_force =
      out_of_force(context.ruleset, prepared.desired.state, prepared.ledger.tables_made);
  std::ranges::move(tell(prepared.out_of_force, prepared.desired.origins),
                    std::back_inserter(prepared.plan.warnings));
}

/// Says of each step which networks it is for; of a TAP that goes, which it was for.
void name_networks(const spec::Desired& desired, Plan& plan) {
  for (Step& step : plan.steps) {
    const auto found = desired.networks.find(step.key);
    if (found != desired.networks.end()) {
      step.networks = found->second;
    } else if (const auto network =
                   step.before ? spec::network_of_guest(*step.before) : std::nullopt) {
      step.networks = {format(*network)};
    }
  }
}

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

std::vector<spec::Assignment> guests_on(const Context& context) {
  return spec::facts_of(look_around(context.host).state, {}, context.options.mark).assignments;
}

Observed observe_for_show(const Context& context, Ledger& ledger, bool all) {
  Observed around = look_around(context.host);
  follow(ledger.memory, around.links, around.state);
  Observed have = look(context, spec::Desired(), ledger.memory, std::move(around));
  if (context.ruleset.is_torn()) throw io::HostError(rules_change);
  context.ruleset.name_rules(context.host, context.compiler.book(), all, have.state);
  return have;
}

Prepared prepare(const Context& context, spec::Desired desired) {
  Prepared prepared;
  std::string warning;
  prepared.ledger = read_ledger(context.directory, warning);
  prepared.ledger_unusable = !warning.empty();
  if (prepared.ledger_unusable) {
    prepared.warnings.push_back({Code::unreadable_file, std::move(warning), {}, {}});
  }
  Diagnostics diagnostics;
  Observed around = look_around(context.host);
  spec::know_by_place(around.state, prepared.ledger.assignments, context.options.mark);
  prepared.desired =
      with_facts(context, std::move(desired), around.state, prepared.ledger, diagnostics);
  if (!diagnostics.ok()) {
    prepared.errors = std::move(diagnostics.errors);
    return prepared;
  }
  memory::Memory& memory = prepared.ledger.memory;
  follow(memory, around.links, around.state);
  prepared.have = look(context, prepared.desired, memory, std::move(around));
  follow(memory,
         firewall::identities(context.host, context.ruleset, context.compiler.uses_nft(),
                              chains_of_policies(memory, prepared.desired.state)),
         prepared.have.state);
  heed(memory, prepared.desired.state, prepared.have.state);
  find_refusals(context.host, prepared.desired.state, prepared.have.state, memory);
  for (const std::string& words : prepared.have.warnings) {
    prepared.warnings.push_back({Code::host_warning, words, {}, {}});
  }
  context.compiler.compile(prepared.desired, prepared.have.state, diagnostics);
  diagnostics.close();
  name_rules(context, prepared.have.state);
  prepared.errors = std::move(diagnostics.errors);
  std::ranges::move(diagnostics.warnings, std::back_inserter(prepared.warnings));
  if (prepared.errors.empty()) {
    plan_for(context, prepared);
    name_networks(prepared.desired, prepared.plan);
  }
  return prepared;
}

bool Prepared::idle() const {
  return plan.empty() && ledger.flows_to_flush.empty() && !has_ours(out_of_force);
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

}  // namespace plumbline::engine
