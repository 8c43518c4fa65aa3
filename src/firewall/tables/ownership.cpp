#include "plumbline/firewall/tables/ownership.hpp"

#include <algorithm>
#include <iterator>

#include "plumbline/firewall/bytes/nft_table.hpp"
#include "plumbline/firewall/tables/nfnetlink.hpp"

namespace plumbline::firewall {

std::set<TableKey> tables_of(const State& state) {
  std::set<TableKey> tables;
  for (const Chain& chain : state.of<Chain>()) tables.emplace(chain.family, chain.table);
  for (const SharedChain& chain : state.of<SharedChain>()) {
    tables.emplace(chain.family, chain.table);
  }
  return tables;
}

std::set<TableKey> tables_of(const Plan& plan) {
  std::set<TableKey> tables;
  for (const Step& step : plan.steps) {
    if (const auto* chain = std::get_if<Chain::Key>(&step.key)) {
      tables.emplace(chain->family, chain->table);
    } else if (const auto* shared = std::get_if<SharedChain::Key>(&step.key)) {
      tables.emplace(shared->family, shared->table);
    }
  }
  return tables;
}

std::set<TableKey> minus(const std::set<TableKey>& all, const std::set<TableKey>& some) {
  std::set<TableKey> rest;
  std::ranges::set_difference(all, some, std::inserter(rest, rest.end()));
  return rest;
}

std::set<TableKey> bare_tables(io::Host& host, bool nft, const State& have, const Plan& plan) {
  std::set<TableKey> bare;
  for (const TableKey& table : minus(tables_of(plan), tables_of(have))) {
    const auto& [family, name] = table;
    if (!uses_nft(family, nft)) continue;
    const wire::Request request = wire::NetfilterQuery{table_query(family, name)};
    if (host.exchange(std::span(&request, 1)).front().error == 0) bare.insert(table);
  }
  return bare;
}

void drop_empty(io::Host& host, const std::set<TableKey>& tables) {
  std::vector<wire::Request> requests;
  for (const auto& [family, table] : tables) {
    requests.emplace_back(wire::FirewallDropTable{family, table});
  }
  static_cast<void>(host.exchange(requests));
}

}  // namespace plumbline::firewall
