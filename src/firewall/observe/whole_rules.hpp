// Whether a dump of the rules of nf_tables is whole.
//
// The kernel ends it, without an error or a word, at a rule that is larger than a part of a dump
// (nf_tables_dump_rules() in net/netfilter/nf_tables_api.c): in a list of all rules nothing that
// follows is there, of other chains and tables either. Few rules are: sixty matches of `-m bpf`
// make one. How many rules and jumps a chain has the kernel says with the chain.

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "plumbline/firewall/observe/ruleset.hpp"

namespace plumbline::firewall {

using Matters = std::function<bool(const Chain::Key&)>;

/// The first of the chains of which there may be more than what was seen.
[[nodiscard]] std::optional<Chain::Key> find_short(const std::vector<DumpedChain>& chains,
                                                   const HaveChains& seen);

/// Throws io::HostError where there is more, and the chain matters. Where it is not sure, as
/// somebody changes rules or has maps that lead to chains, nothing is said.
void demand_whole(Nfnetlink& kernel, const std::vector<DumpedChain>& chains, const HaveChains& seen,
                  const Matters& matters);

}  // namespace plumbline::firewall
