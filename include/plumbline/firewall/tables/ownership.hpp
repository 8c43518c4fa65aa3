// Which tables of iptables came with our chains, and go with them.
//
// nf_tables has a table only once somebody makes it; what others made is theirs, and stays even
// when it is empty.

#pragma once

#include <set>

#include "plumbline/firewall/model/chain.hpp"
#include "plumbline/io/host.hpp"
#include "plumbline/state/step.hpp"

namespace plumbline::firewall {

/// Those with a chain.
[[nodiscard]] std::set<TableKey> tables_of(const State& state);
/// Those with a chain that the plan changes.
[[nodiscard]] std::set<TableKey> tables_of(const Plan& plan);
[[nodiscard]] std::set<TableKey> minus(const std::set<TableKey>& all,
                                       const std::set<TableKey>& some);

/// Of the tables in which the plan makes the first chain, those that somebody made without one.
/// `nft`: those of IP are in nf_tables.
[[nodiscard]] std::set<TableKey> bare_tables(io::Host& host, bool nft, const State& have,
                                             const Plan& plan);

/// Drops those of `tables` that hold nothing; the Host leaves the others alone.
void drop_empty(io::Host& host, const std::set<TableKey>& tables);

}  // namespace plumbline::firewall
