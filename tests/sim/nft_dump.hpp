// What nf_tables says of itself, as messages. Private to the model of it.

#pragma once

#include <string>
#include <vector>

#include "tests/sim/nftables.hpp"

namespace plumbline::sim {

void put_rule(wire::Bytes& all, const NftTable& table, const NftChain& chain, const NftRule& rule);

/// The chains that expressions jump or go to.
[[nodiscard]] std::vector<std::string> jumps_of(const wire::Bytes& expressions);
/// How often rules of the table lead to the chain, those of `except` left out.
[[nodiscard]] std::size_t jumps_to(const NftTable& table, const std::string& chain,
                                   const NftChain* except);

}  // namespace plumbline::sim
