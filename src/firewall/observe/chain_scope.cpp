#include "plumbline/firewall/observe/chain_scope.hpp"

namespace plumbline::firewall {

ChainScope chain_scope(const State& want) {
  ChainScope scope;
  for (const Chain& chain : want.of<Chain>()) scope.chains.insert(key(chain));
  for (const SharedChain& chain : want.of<SharedChain>()) {
    scope.chains.insert({chain.family, chain.table, chain.name});
  }
  return scope;
}

memory::ChainIdentities identities(io::Host& host, const Ruleset& ruleset, bool nft,
                                   const std::set<SharedChain::Key>& chains) {
  std::map<std::pair<Family, std::string>, std::uint64_t> tables;
  memory::ChainIdentities identities;
  for (const SharedChain::Key& chain : chains) {
    std::string& identity = identities[chain];
    if (!uses_nft(chain.family, nft)) continue;
    const HaveChain* const held = ruleset.find({chain.family, chain.table, chain.name});
    if (held == nullptr) continue;
    const auto [table, unknown] = tables.try_emplace({chain.family, chain.table});
    if (unknown) {
      const wire::Request query = wire::NetfilterQuery{table_query(chain.family, chain.table)};
      const wire::Reply reply = host.exchange(std::span(&query, 1)).front();
      if (reply.error == 0) table->second = read_table_handle(reply.bytes);
    }
    if (table->second == 0) continue;
    identity = std::to_string(table->second) + "/" + std::to_string(held->handle);
  }
  return identities;
}

}  // namespace plumbline::firewall
