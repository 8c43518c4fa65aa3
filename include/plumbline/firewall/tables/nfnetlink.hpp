// What nf_tables and ipset say when they are asked, by way of a Host.
//
// One question per call; keeps nothing but the names of ipsets.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/firewall/bytes/nft_table.hpp"
#include "plumbline/firewall/bytes/nftables.hpp"
#include "plumbline/firewall/model/chain.hpp"
#include "plumbline/io/host.hpp"

namespace plumbline::firewall {

/// Answers nfnetlink questions by way of a Host. Throws io::HostError where they are refused.
class Nfnetlink {
 public:
  explicit Nfnetlink(io::Host& host) : host_(&host) {}

  [[nodiscard]] std::uint32_t generation();
  /// False where the kernel has no nf_tables.
  [[nodiscard]] bool is_there();
  [[nodiscard]] std::vector<DumpedTable> tables();
  [[nodiscard]] std::vector<DumpedChain> chains();
  /// Of one chain; nothing when it is not there.
  [[nodiscard]] std::optional<std::vector<DumpedRule>> rules(const Chain::Key& chain);
  [[nodiscard]] std::vector<DumpedRule> all_rules();
  /// Where more leads to chains than rules do.
  [[nodiscard]] std::set<TableKey> tables_with_maps_to_chains();
  /// Nothing when there is no such set, or nobody who knows sets.
  [[nodiscard]] std::optional<std::uint16_t> find_set(const std::string& name);
  [[nodiscard]] std::string set_name(std::uint16_t index);
  [[nodiscard]] RuleCode code(DumpedRule rule);

 private:
  [[nodiscard]] wire::Reply ask(wire::Bytes message);

  io::Host* host_;
  std::map<std::uint16_t, std::string> set_names_;
};

/// Whether chains of the family are read and committed as nf_tables has them; `nft`: those of IP
/// are. Else by text. ebtables is always that of nf_tables.
[[nodiscard]] constexpr bool uses_nft(Family family, bool nft) {
  return nft || family == Family::bridge;
}

}  // namespace plumbline::firewall
