// The tables of iptables, and the chains that are built into them: the one list of both.

#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "plumbline/base/family.hpp"

namespace plumbline::firewall {

/// Those that a spec may have, as it has them: of ebtables for bridges.
[[nodiscard]] std::span<const std::string_view> tables_of(Family family);
/// Whether the family has a table of that name.
[[nodiscard]] bool is_iptables_table(Family family, std::string_view table);
/// The names of the built-in chains of a table, in the order in which iptables saves them.
[[nodiscard]] std::vector<std::string_view> builtin_chains(Family family, std::string_view table);

/// `iptables`, `ip6tables` or `ebtables`: how the programs for the family are called.
[[nodiscard]] std::string_view program_word(Family family);
/// `ip`, `ip6` or `bridge`: the family of nf_tables where the tables are, as nft(8) says it.
[[nodiscard]] std::string_view nft_word(Family family);
/// Whether some program of iptables works on a table of nf_tables: those above, and what no spec
/// can have, the tables of arptables and `broute` of ebtables.
[[nodiscard]] bool is_table_of_iptables(std::string_view nft_family, std::string_view table);

}  // namespace plumbline::firewall
