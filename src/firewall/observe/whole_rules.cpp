#include "whole_rules.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace plumbline::firewall {

namespace {

using Uses = std::map<Chain::Key, std::size_t>;

Chain::Key key_of(const DumpedChain& chain) { return {chain.family, chain.table, chain.name}; }

bool is_short(const DumpedChain& chain, const Uses& known) {
  const auto found = known.find(key_of(chain));
  return found != known.end() && chain.uses > found->second;
}

/// What keeps each chain, as far as it was seen: its rules, and the jumps of others.
Uses uses_in(const HaveChains& seen) {
  Uses uses;
  for (const auto& [where, held] : seen) uses[where] += held.rules.size();
  for (const auto& [where, held] : seen) {
    for (const FirewallRule& rule : held.rules) {
      for (const std::string& target : rule.targets()) {
        const auto chain = uses.find({where.family, where.table, target});
        if (chain != uses.end()) ++chain->second;
      }
    }
  }
  return uses;
}

/// The same of all chains of a table, read one by one now.
Uses uses_in(Nfnetlink& kernel, const TableKey& table, const std::vector<DumpedChain>& chains) {
  Uses uses;
  for (const DumpedChain& chain : chains) {
    if (chain.family != table.first || chain.table != table.second) continue;
    const auto rules = kernel.rules(key_of(chain));
    if (!rules) continue;
    uses[key_of(chain)] += rules->size();
    for (const DumpedRule& rule : *rules) {
      const RuleCode code{rule.expressions, {}, {}};
      for (const std::string& to : chains_of(code)) {
        ++uses[{chain.family, chain.table, to}];
      }
    }
  }
  return uses;
}

/// Whether it is so, and not only for the moment: what somebody has not committed yet counts as
/// used already.
bool stays_short(Nfnetlink& kernel, const Chain::Key& chain) {
  constexpr int most_looks = 8;
  constexpr std::chrono::milliseconds wait{50};
  const TableKey table{chain.family, chain.table};
  const std::uint32_t generation = kernel.generation();
  if (kernel.tables_with_maps_to_chains().contains(table)) return false;
  for (int looks = 0; looks < most_looks; ++looks) {
    if (looks != 0) std::this_thread::sleep_for(wait);
    const std::vector<DumpedChain> chains = kernel.chains();
    const Uses uses = uses_in(kernel, table, chains);
    if (kernel.generation() != generation) return false;  // who looks will look again
    const auto same = [&](const DumpedChain& one) { return key_of(one) == chain; };
    const auto now = std::ranges::find_if(chains, same);
    if (now == chains.end() || !is_short(*now, uses)) return false;
  }
  return true;
}

[[noreturn]] void refuse(const Chain::Key& chain, std::size_t seen) {
  throw io::HostError(
      "the kernel ends its list of the rules of " + format(chain) + " behind " +
      std::to_string(seen) +
      ": the one that follows is too large for a part of a list (32 KiB), and what "
      "is behind it cannot be seen. iptables does not see it either: flush the chain, "
      "and have its owners make their rules anew");
}

}  // namespace

std::optional<Chain::Key> find_short(const std::vector<DumpedChain>& chains,
                                     const HaveChains& seen) {
  const Uses uses = uses_in(seen);
  const auto found =
      std::ranges::find_if(chains, [&](const DumpedChain& chain) { return is_short(chain, uses); });
  return found == chains.end() ? std::nullopt : std::optional(key_of(*found));
}

void demand_whole(Nfnetlink& kernel, const std::vector<DumpedChain>& chains, const HaveChains& seen,
                  const Matters& matters) {
  const Uses uses = uses_in(seen);
  for (const DumpedChain& chain : chains) {
    const Chain::Key where = key_of(chain);
    if (!is_short(chain, uses) || !matters(where)) continue;
    if (stays_short(kernel, where)) refuse(where, seen.at(where).rules.size());
  }
}

}  // namespace plumbline::firewall
