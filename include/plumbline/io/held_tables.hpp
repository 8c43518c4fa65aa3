// Which firewall tables the kernel has, and how much is in them, without asking a program.
//
// Counts, and names what iptables does not know; reads no rule. Legacy tables are looked at without
// loading a kernel module; asking nf_tables anything loads nf_tables.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/base/family.hpp"
#include "plumbline/io/netlink_socket.hpp"

namespace plumbline::io {

struct HeldTable {
  std::string family;  ///< as nft(8) says it: `ip`, `ip6`, `inet`, `bridge`, `arp`, `netdev`
  std::string name;
  std::size_t rules = 0;
  std::size_t chains = 0;    ///< that are neither built in nor at a hook
  std::size_t policies = 0;  ///< other than ACCEPT
  std::size_t hooks = 0;     ///< chains at hooks of the kernel
  bool dormant = false;      ///< none of its chains meets a packet
  /// Built-in chains of iptables that are elsewhere: `FORWARD is at no hook, not at …`.
  std::vector<std::string> misplaced;
  /// What iptables shows wrongly or not at all: `ct in chain INPUT, handle 7`, each once.
  std::vector<std::string> unknown;

  /// Nobody put anything into it.
  [[nodiscard]] bool empty() const { return rules == 0 && chains == 0 && policies == 0; }

  bool operator==(const HeldTable&) const = default;
};

/// The legacy tables that the calling thread's namespace has, empty ones too: none where the kernel
/// modules are not loaded, nor of bridges. Throws HostError.
[[nodiscard]] std::vector<HeldTable> legacy_tables(Family family);

/// All tables of nf_tables, of every family. `nfnetlink` is a NETLINK_NETFILTER socket. Throws
/// HostError, wire::Malformed.
[[nodiscard]] std::vector<HeldTable> nft_tables(NetlinkSocket& nfnetlink);

/// Moves with every change of nf_tables in the socket's namespace; never 0. Throws HostError,
/// wire::Malformed.
[[nodiscard]] std::uint32_t nft_generation(NetlinkSocket& nfnetlink);

/// `filter (2 rules, 1 chain), nat (1 policy)`: those that are not empty, so nothing when all are.
[[nodiscard]] std::string tell(const std::vector<HeldTable>& tables);

}  // namespace plumbline::io
