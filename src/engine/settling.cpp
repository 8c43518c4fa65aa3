#include "settling.hpp"

#include <utility>

#include "plumbline/firewall/observe/chain_scope.hpp"
#include "plumbline/firewall/tables/ownership.hpp"
#include "plumbline/memory/applied.hpp"
#include "plumbline/memory/room.hpp"

namespace plumbline::engine {

Ledger expected_ledger(const Prepared& prepared, Ledger ledger, const std::set<TableKey>& bare) {
  const State& want = prepared.desired.state;
  std::set<std::string> blocked;
  for (const Blocked& object : prepared.plan.blocked) blocked.insert(format(object.key));
  ledger.memory.applied.clear();
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : want.of<K>()) {
      if (!blocked.contains(format(key(value)))) memory::note_applied(ledger.memory.applied, value);
    }
  });
  ledger.assignments = spec::assignments_of(prepared.desired.assigned);
  ledger.tables_made = firewall::minus(
      ledger.tables_made, firewall::minus(ledger.tables_made, firewall::tables_of(want)));
  ledger.tables_made.merge(firewall::minus(
      firewall::minus(firewall::tables_of(prepared.plan), firewall::tables_of(prepared.have.state)),
      bare));
  ledger.flows_to_flush.clear();
  return ledger;
}

Ledger settle_ledger(const Context& context, const Prepared& prepared, const Observed& now,
                     Ledger ledger, Ledger expected, const std::set<TableKey>& bare) {
  const State& want = prepared.desired.state;
  forget(ledger.memory, want, now.state);
  note_objects(ledger.memory, want, now.links, now.state);
  note_objects(ledger.memory,
               firewall::identities(context.host, context.ruleset, context.compiler.uses_nft(),
                                    chains_of_policies(ledger.memory, want)));
  ledger.memory.applied = std::move(expected.memory.applied);
  ledger.assignments = std::move(expected.assignments);
  const std::set<TableKey> unused = firewall::minus(ledger.tables_made, firewall::tables_of(want));
  if (!unused.empty()) {
    firewall::drop_empty(context.host, unused);
    ledger.tables_made = firewall::minus(ledger.tables_made, unused);
  }
  for (const TableKey& table :
       firewall::minus(firewall::tables_of(now.state), firewall::tables_of(prepared.have.state))) {
    if (!unused.contains(table) && !bare.contains(table)) ledger.tables_made.insert(table);
  }
  return ledger;
}

std::size_t unexpected_bytes(const Prepared& prepared, const Ledger& ledger) {
  std::size_t bytes = memory::bytes_of_objects(prepared.desired.state, ledger.memory);
  for (const Step& step : prepared.plan.steps) {
    bytes += memory::bytes_of_value(step);
    if (may_stay(step)) bytes += memory::bytes_of_refusal(step);
  }
  for (const std::string& network : ledger.flows_to_flush) bytes += 2 * network.size();
  return bytes;
}

}  // namespace plumbline::engine
