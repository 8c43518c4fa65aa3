// Firewall tables as programs that are not ours see them, for both backends of iptables.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/io/backend.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::test {

/// Whether the nft backend of ours rewrites all tables in one commit; else each table is one of its
/// own, as with the legacy backend.
inline constexpr bool nft_commits_all_tables_at_once = true;

/// Why iptables with this backend cannot be used in the present namespace; empty when it can.
[[nodiscard]] std::string why_no_iptables(io::Backend backend);

/// `iptables-nft-save` for `iptables`, `nft` and `save`; `ip6tables-legacy` without an action.
[[nodiscard]] std::string program_of(io::Backend backend, std::string_view base,
                                     std::string_view action = {});

/// Runs `iptables` with the words; it waits for the lock, as everybody's should.
[[nodiscard]] CommandResult iptables(io::Backend backend, std::vector<std::string> words);

enum class Counters { shown, hidden };

/// What both families' saves print of each table: by `iptables filter` and so on.
[[nodiscard]] std::map<std::string, std::string> saved_tables(io::Backend backend,
                                                              Counters counters = Counters::shown);

/// The rules of one chain in a table's text, in order, without counters and without `-A CHAIN `.
[[nodiscard]] std::vector<std::string> rules_of(const std::string& table, std::string_view chain);

/// The generation of nf_tables in the present namespace: one more for each commit.
[[nodiscard]] std::uint32_t nft_generation();

}  // namespace plumbline::test
