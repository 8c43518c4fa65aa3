#include "look.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "plumbline/firewall/bytes/nft_table.hpp"

namespace plumbline::engine {

namespace {

Scope scope_of(const State& desired, const memory::Memory& memory) {
  std::set<std::string> paths;
  for (const Sysctl& sysctl : desired.of<Sysctl>()) paths.insert(sysctl.path);
  for (std::string& path : memory::Goals(memory, desired).watched()) paths.insert(std::move(path));
  return {{paths.begin(), paths.end()}};
}

ChainScope chain_scope(const spec::Desired& desired) {
  ChainScope scope;
  for (const Chain& chain : desired.state.of<Chain>()) scope.chains.insert(key(chain));
  for (const SharedChain& chain : desired.state.of<SharedChain>()) {
    scope.chains.insert({chain.family, chain.table, chain.name});
  }
  scope.ipsets = firewall::named_sets(desired);
  return scope;
}

}  // namespace

Observed look(const Context& context, const spec::Desired& desired, const memory::Memory& memory,
              Observed around) {
  return observe(context.host, context.ruleset, context.compiler.uses_nft(),
                 scope_of(desired.state, memory), chain_scope(desired), std::move(around));
}

memory::ChainIdentities identities(const Context& context,
                                   const std::set<SharedChain::Key>& chains) {
  std::map<std::pair<Family, std::string>, std::uint64_t> tables;
  memory::ChainIdentities identities;
  for (const SharedChain::Key& chain : chains) {
    std::string& identity = identities[chain];
    if (!firewall::uses_nft(chain.family, context.compiler.uses_nft())) continue;
    const HaveChain* const held = context.ruleset.find({chain.family, chain.table, chain.name});
    if (held == nullptr) continue;
    const auto [table, unknown] = tables.try_emplace({chain.family, chain.table});
    if (unknown) {
      const wire::Request query =
          wire::NetfilterQuery{firewall::table_query(chain.family, chain.table)};
      const wire::Reply reply = context.host.exchange(std::span(&query, 1)).front();
      if (reply.error == 0) table->second = firewall::read_table_handle(reply.bytes);
    }
    if (table->second == 0) continue;
    identity = std::to_string(table->second) + "/" + std::to_string(held->handle);
  }
  return identities;
}

void know_by_place(State& have, const std::vector<spec::Assignment>& copy, const Mark& mark) {
  for (const spec::Assignment& assignment : copy) {
    const Link* const bridge = have.find<Link>({assignment.network});
    if (bridge == nullptr || !is_marked(*bridge, mark)) continue;
    std::vector<Link>& links = have.of<Link>();
    const auto tap = std::ranges::lower_bound(links, assignment.tap, {}, &Link::name);
    if (tap == links.end() || tap->name != assignment.tap || is_marked(*tap, mark)) continue;
    if (tap->kind != LinkKind::tap || tap->master != assignment.network) continue;
    tap->marked = true;
    tap->alias.reset();
  }
}

void name_rules(const Context& context, State& state) {
  context.ruleset.name_rules(context.host, context.compiler.book(), false, state);
}

Observed look_after(const Context& context, const spec::Desired& desired,
                    const memory::Memory& memory) {
  constexpr int most_looks = 20;
  constexpr std::chrono::milliseconds wait{100};
  const auto look_now = [&] {
    Observed seen = look(context, desired, memory, look_around(context.host));
    name_rules(context, seen.state);
    return seen;
  };
  for (int looks = 1; looks < most_looks; ++looks) {
    try {
      return look_now();
    } catch (const std::runtime_error&) {
      std::this_thread::sleep_for(wait);
    }
  }
  return look_now();
}

}  // namespace plumbline::engine
