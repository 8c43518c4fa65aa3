// nf_tables of a simulated namespace: tables, chains and rules as the bytes of their attributes.
//
// No expression is understood but the jump: any other may be sent, and is there as it was sent. Not
// modelled are sets, maps, stateful objects and flowtables (EOPNOTSUPP), and that the kernel looks
// for loops of chains and for matches where they cannot be.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plumbline/wire/request.hpp"

namespace plumbline::sim {

struct NftRule {
  std::uint64_t handle = 0;
  wire::Bytes expressions;  ///< the payload of NFTA_RULE_EXPRESSIONS
  wire::Bytes userdata;
};

struct NftHook {
  std::uint32_t number = 0;
  std::int32_t priority = 0;

  bool operator==(const NftHook&) const = default;
};

struct NftChain {
  std::uint64_t handle = 0;
  std::string name;
  std::optional<NftHook> hook;
  std::string type;  ///< with a hook: `filter`, `nat`, `route`
  std::uint32_t policy = 1;
  wire::Bytes userdata;
  std::vector<NftRule> rules;
};

struct NftTable {
  std::uint8_t family = 0;
  std::string name;
  std::uint64_t handle = 0;
  std::uint32_t flags = 0;
  std::uint64_t last_handle = 0;  ///< given to a chain or a rule; a void transaction takes some too
  wire::Bytes userdata;
  std::vector<NftChain> chains;
};

struct NfTables {
  std::uint32_t generation = 1;
  std::uint64_t last_handle = 0;  ///< of a table
  std::vector<NftTable> tables;   ///< in the order of their making
};

/// All of it or nothing; ERESTART when it is at another generation.
[[nodiscard]] wire::Reply commit(NfTables& tables, const wire::NftBatch& batch);
/// A question to nfnetlink. ipset and conntrack answer as where there is no set and no flow.
[[nodiscard]] wire::Reply answer(const NfTables& tables, const wire::Bytes& question);
/// wire::FirewallDropTable
[[nodiscard]] wire::Reply drop_empty(NfTables& tables, std::uint8_t family,
                                     const std::string& name);

}  // namespace plumbline::sim
