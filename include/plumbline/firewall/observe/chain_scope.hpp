// Which chains matter when nf_tables is looked at, and what tells one from another of its name.

#pragma once

#include <set>
#include <string>

#include "plumbline/firewall/observe/ruleset.hpp"
#include "plumbline/memory/memory.hpp"

namespace plumbline::firewall {

struct ChainScope {
  std::set<Chain::Key> chains;   ///< whose content matters, beside ours
  std::set<std::string> ipsets;  ///< that rules may want
};

/// The chains that `want` has; ipsets are for the caller.
[[nodiscard]] ChainScope chain_scope(const State& want);

/// What tells the chains from others of their names: the handles of chain and table, on nf_tables
/// as looked at last.
[[nodiscard]] memory::ChainIdentities identities(io::Host& host, const Ruleset& ruleset, bool nft,
                                                 const std::set<SharedChain::Key>& chains);

}  // namespace plumbline::firewall
