// What nf_tables holds in a network namespace, as our own questions see it, and a copy of it made
// with our own batches.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "plumbline/firewall/bytes/nftables.hpp"
#include "plumbline/io/namespace.hpp"
#include "plumbline/io/netlink_socket.hpp"

namespace plumbline::test {

/// By family, table and chain.
using NftRules = std::map<std::string, std::vector<firewall::RuleCode>>;

/// Each call throws std::runtime_error with the kernel's words where it is refused.
class NftSide {
 public:
  /// In the namespace of the calling thread.
  NftSide();

  [[nodiscard]] std::vector<firewall::DumpedChain> chains();
  [[nodiscard]] std::vector<firewall::DumpedRule> dump();
  [[nodiscard]] NftRules rules();
  [[nodiscard]] firewall::RuleCode code(const firewall::DumpedRule& rule);
  [[nodiscard]] std::string set_name(std::uint16_t index);
  [[nodiscard]] std::uint16_t set_index(const std::string& name);
  [[nodiscard]] wire::Bytes ask(wire::Bytes message);
  [[nodiscard]] wire::Reply try_commit(const wire::NftBatch& batch);
  void commit(const wire::NftBatch& batch);
  [[nodiscard]] std::uint32_t generation();

  /// One batch with all chains, policies and rules of `from`.
  [[nodiscard]] wire::NftBatch copy_of(NftSide& from);

 private:
  io::NetlinkSocket socket_;
};

/// `iptables-nft-save`, `ip6tables-nft-save` and `ebtables-nft-save` of the present namespace, less
/// the comments they print.
[[nodiscard]] std::string saved_by_nft();

}  // namespace plumbline::test
