#include "settling.hpp"

#include <utility>

#include "look.hpp"
#include "plumbline/firewall/tables/ownership.hpp"

namespace plumbline::engine {

namespace {

/// Names are written with more bytes than they have where these are not UTF-8.
constexpr std::size_t most_per_byte = 6;

/// What note_objects() may add once the plan is carried out.
std::size_t bytes_of_objects(const State& want, const memory::Memory& memory) {
  constexpr std::size_t most_of_a_link = 128;
  constexpr std::size_t most_of_a_chain = 128;
  std::set<IfName> links;
  for (const Link& link : want.of<Link>()) {
    if (link.kind != LinkKind::physical) continue;
    links.insert(link.name);
    if (link.master) links.insert(*link.master);
  }
  for (const Sysctl& sysctl : want.of<Sysctl>()) {
    if (const auto link = link_of(sysctl.path)) links.insert(*link);
  }
  std::erase_if(links, [&](const IfName& name) { return memory.indexes.contains(name); });
  std::size_t bytes = links.size() * most_of_a_link;
  for (const Link& link : memory.earlier.of<Link>()) {
    if (link.port && !memory.port_of.contains(link.name)) bytes += most_of_a_link;
  }
  for (const SharedChain::Key& chain : chains_of_policies(memory, want)) {
    if (const auto known = memory.chains.find(chain);
        known == memory.chains.end() || known->second.empty()) {
      bytes += chain.table.size() + chain.name.size() + most_of_a_chain;
    }
  }
  return bytes;
}

std::size_t bytes_of_refusal(const Step& step) {
  constexpr std::size_t most_of_the_words = 256;
  const auto* sysctl = std::get_if<Sysctl>(&*step.after);
  const std::size_t value = sysctl == nullptr ? 0 : sysctl->value.size();
  return most_per_byte * (format(step.key).size() + value) + most_of_the_words;
}

}  // namespace

Ledger expected_ledger(const Prepared& prepared, Ledger ledger, const std::set<TableKey>& bare) {
  const State& want = prepared.desired.state;
  std::set<std::string> blocked;
  for (const Blocked& object : prepared.plan.blocked) blocked.insert(format(object.key));
  ledger.memory.applied.clear();
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : want.of<K>()) {
      if (!blocked.contains(format(key(value)))) note_applied(ledger.memory.applied, value);
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
  note_objects(ledger.memory, identities(context, chains_of_policies(ledger.memory, want)));
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
  constexpr std::size_t most_of_a_sysctl = 512;
  // Values that are changed along are small numbers.
  constexpr std::size_t most_of_what_followed = 16;
  std::size_t bytes = bytes_of_objects(prepared.desired.state, ledger.memory) +
                      ledger.memory.followed.size() * most_of_what_followed;
  for (const Step& step : prepared.plan.steps) {
    const bool is_new = step.after && !step.before && std::get_if<Sysctl>(&*step.after) != nullptr;
    if (is_new) bytes += most_of_a_sysctl;
    if (may_stay(step)) bytes += bytes_of_refusal(step);
  }
  for (const std::string& network : ledger.flows_to_flush) bytes += 2 * network.size();
  return bytes;
}

}  // namespace plumbline::engine
