#include "plumbline/firewall/observe/in_force.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "plumbline/firewall/bytes/iptables_tables.hpp"
#include "plumbline/firewall/tables/ownership.hpp"

namespace plumbline::firewall {

namespace {

std::string name_of(const Chain::Key& where) {
  return std::string(nft_word(where.family)) + " " + where.table +
         (where.name.empty() ? "" : " " + where.name);
}

std::string message_for(const OutOfForce& place) {
  const std::string name = name_of(place.where);
  if (place.where.name.empty()) {
    const std::string what = "table " + name + " is dormant, so no rule of it meets a packet";
    return place.ours ? what + ": it is ours, and apply wakes it"
                      : what + ", ours neither: wake it with `nft add table " + name + "`";
  }
  const auto hook = builtin_hook(place.where.family, place.where.table, place.where.name);
  const std::string what = "chain " + name + " is at " + format(place.found) + ", not at " +
                           format(hook) + ", so rules in it do not judge what they are for";
  return place.ours ? what + ": it is ours, and apply puts it there"
                    : what + ": remove it (`nft delete chain " + name +
                          "`) where nobody needs it, and apply makes it anew";
}

Origin origin_of(const OutOfForce& place, const std::map<Key, Origin>& origins) {
  const auto& [family, table, name] = place.where;
  for (const auto& [key, origin] : origins) {
    const auto* shared = std::get_if<SharedChain::Key>(&key);
    if (shared == nullptr || shared->family != family || shared->table != table) continue;
    if (name.empty() || shared->name == name) return origin;
  }
  return {};
}

bool carries_only_ours(const HaveChain& chain) {
  return std::ranges::all_of(chain.rules, &FirewallRule::carries_mark);
}

/// A chain that is there keeps its hook for ever (nf_tables_updchain() in
/// net/netfilter/nf_tables_api.c), so it is made anew, with all its rules.
void move_chain(NftBatchWriter& batch, Nfnetlink& kernel, const Chain::Key& where,
                const HaveChain& chain) {
  const auto& [family, table, name] = where;
  batch.remove_all_rules(family, table, name);
  batch.remove_chain(family, table, name);
  batch.add_base_chain(family, table, name, *builtin_hook(family, table, name));
  if (chain.policy) batch.set_policy(family, table, name, *chain.policy);
  const auto find_set = [&](const std::string& set) {
    const auto index = kernel.find_set(set);
    if (!index) throw io::HostError("ipset " + set + " is not there");
    return *index;
  };
  for (const FirewallRule& rule : chain.rules) {
    batch.add_rule(family, table, name, *rule.code(), {}, find_set, Echo::no);
  }
}

int commit(io::Host& host, Ruleset& ruleset, bool nft, const std::vector<OutOfForce>& places) {
  Nfnetlink kernel(host);
  std::set<Chain::Key> chains;
  for (const OutOfForce& place : places) {
    if (place.ours && !place.where.name.empty()) chains.insert(place.where);
  }
  const std::uint32_t generation = ruleset.look_at(kernel, chains, nft);
  NftBatchWriter batch;
  for (const OutOfForce& place : places) {
    if (!place.ours) continue;
    if (place.where.name.empty()) {
      batch.wake_table(place.where.family, place.where.table);
    } else if (const HaveChain* held = ruleset.find(place.where)) {
      if (!carries_only_ours(*held)) return EEXIST;
      move_chain(batch, kernel, place.where, *held);
    }
  }
  if (batch.empty()) return 0;
  const wire::Request request = std::move(batch).finish(generation);
  return host.exchange(std::span(&request, 1)).front().error;
}

}  // namespace

std::vector<OutOfForce> out_of_force(const Ruleset& ruleset, const State& want,
                                     const std::set<TableKey>& made) {
  std::vector<OutOfForce> places;
  for (const TableKey& table : tables_of(want)) {
    if (!ruleset.is_dormant(table)) continue;
    places.push_back({{table.first, table.second, {}}, {}, made.contains(table)});
  }
  for (const SharedChain& chain : want.of<SharedChain>()) {
    const Chain::Key where{chain.family, chain.table, chain.name};
    const auto hook = builtin_hook(chain.family, chain.table, chain.name);
    const HaveChain* held = ruleset.find(where);
    if (!hook || held == nullptr || held->hook == hook) continue;
    const bool ours = made.contains({chain.family, chain.table}) && carries_only_ours(*held);
    places.push_back({where, held->hook, ours});
  }
  return places;
}

bool has_ours(const std::vector<OutOfForce>& places) {
  return std::ranges::any_of(places, &OutOfForce::ours);
}

std::vector<Diagnostic> tell(const std::vector<OutOfForce>& places,
                             const std::map<Key, Origin>& origins) {
  std::vector<Diagnostic> warnings;
  for (const OutOfForce& place : places) {
    warnings.push_back({Code::not_in_force, message_for(place), origin_of(place, origins), {}});
  }
  return warnings;
}

bool set_right(io::Host& host, Ruleset& ruleset, bool nft, const std::vector<OutOfForce>& places) {
  constexpr int most_tries = 10;
  try {
    for (int tries = 0; tries < most_tries; ++tries) {
      const int error = commit(host, ruleset, nft, places);
      if (error != ERESTART) return error == 0;
    }
  } catch (const std::runtime_error&) {  // of the host, or of what it answered
  }
  return false;
}

}  // namespace plumbline::firewall
