#include "settling.hpp"

#include <utility>

#include "made_tables.hpp"

namespace plumbline::engine {

namespace {

void settle_memory(const State& want, Ledger& ledger) {
  forget(ledger.memory, want);
  std::erase_if(ledger.along, [&](const auto& entry) {
    return ledger.memory.earlier.template find<Sysctl>(Sysctl::Key{entry.first}) == nullptr;
  });
}

}  // namespace

Ledger expected_ledger(const Prepared& prepared, Ledger ledger, const std::set<TableKey>& bare) {
  const State& want = prepared.desired.state;
  settle_memory(want, ledger);
  std::set<std::string> blocked;
  for (const Blocked& object : prepared.plan.blocked) blocked.insert(format(object.key));
  ledger.memory.applied.clear();
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : want.of<K>()) {
      if (!blocked.contains(format(key(value)))) note_applied(ledger.memory.applied, value);
    }
  });
  ledger.assignments = spec::assignments_of(prepared.desired.assigned);
  ledger.tables_made = minus(ledger.tables_made, minus(ledger.tables_made, tables_of(want)));
  ledger.tables_made.merge(
      minus(minus(tables_of(prepared.plan), tables_of(prepared.have.state)), bare));
  ledger.unended.clear();
  return ledger;
}

Ledger settle_ledger(const Workshop& workshop, const Prepared& prepared, const State& now,
                     Ledger ledger, Ledger expected, const std::set<TableKey>& bare) {
  const State& want = prepared.desired.state;
  settle_memory(want, ledger);
  ledger.memory.applied = std::move(expected.memory.applied);
  ledger.assignments = std::move(expected.assignments);
  const std::set<TableKey> unused = minus(ledger.tables_made, tables_of(want));
  if (!unused.empty()) {
    drop_empty(workshop.host, unused);
    ledger.tables_made = minus(ledger.tables_made, unused);
  }
  for (const TableKey& table : minus(tables_of(now), tables_of(prepared.have.state))) {
    if (!unused.contains(table) && !bare.contains(table)) ledger.tables_made.insert(table);
  }
  return ledger;
}

std::size_t unexpected_bytes(const Prepared& prepared, const Ledger& ledger) {
  constexpr std::size_t most_of_a_sysctl = 512;
  std::size_t bytes = 0;
  for (const Step& step : prepared.plan.steps) {
    const bool is_new = step.after && !step.before && std::get_if<Sysctl>(&*step.after) != nullptr;
    if (is_new) bytes += most_of_a_sysctl;
  }
  for (const std::string& network : ledger.unended) bytes += 2 * network.size();
  return bytes;
}

}  // namespace plumbline::engine
