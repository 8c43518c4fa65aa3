#include "along.hpp"

#include "plumbline/memory/along.hpp"

namespace plumbline::engine {

memory::SettingsAlong read_along(const Context& context, const Prepared& prepared) {
  memory::SettingsAlong along;
  for (const auto& query : memory::queries_along(prepared.plan, prepared.have.state)) {
    memory::take_along(query, context.host.exchange(query.reads), prepared.have.links, along);
  }
  return along;
}

std::vector<Key> set_first(const Context& context, const Prepared& prepared) {
  const State& want = prepared.desired.state;
  const memory::SettingsAlong along = read_along(context, prepared);
  const auto remember_of = [&](memory::Memory& memory, const Plan& plan) {
    remember(memory, plan, want, along, prepared.have.links);
  };
  memory::Memory known = prepared.ledger.memory;
  known.applied.clear();
  remember_of(known, Plan());
  std::vector<Key> keys;
  for (const Step& step : prepared.plan.steps) {
    if (!memory::changes_what_has_no_mark(step)) continue;
    Plan alone;
    alone.steps.push_back(step);
    memory::Memory grown = known;
    remember_of(grown, alone);
    if (grown.earlier != known.earlier) keys.push_back(step.key);
  }
  return keys;
}

}  // namespace plumbline::engine
