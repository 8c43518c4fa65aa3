// Whether wanted rules meet packets at all. A table of nf_tables may be dormant, and a built-in
// chain may be at no hook or at another one: iptables takes rules there, and they judge nothing.
//
// What is ours is set right, without a change of any rule. Of what is somebody else's it is told,
// with what to do. Sees only tables of iptables and ebtables on nf_tables: the legacy backend has
// neither dormant tables nor other hooks.

#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "plumbline/base/diagnostics.hpp"
#include "plumbline/firewall/model/chain.hpp"
#include "plumbline/firewall/observe/ruleset.hpp"

namespace plumbline::firewall {

struct OutOfForce {
  Chain::Key where;                ///< without a name for a table that is dormant
  std::optional<Hook> found = {};  ///< of a chain: where it is
  bool ours = false;  ///< a table that we made; of its chains those without rules of others
};

/// Of what `want` has, as the ruleset was seen last. `made`: tables that came with our chains.
[[nodiscard]] std::vector<OutOfForce> out_of_force(const Ruleset& ruleset, const State& want,
                                                   const std::set<TableKey>& made);

/// Whether apply has something to set right.
[[nodiscard]] bool has_ours(const std::vector<OutOfForce>& places);

/// A NOT_IN_FORCE for each, at the place of the spec that wants a chain there.
[[nodiscard]] std::vector<Diagnostic> tell(const std::vector<OutOfForce>& places,
                                           const std::map<Key, Origin>& origins);

/// Sets right what is ours, in one commit. False where that was not possible.
[[nodiscard]] bool set_right(io::Host& host, Ruleset& ruleset, bool nft,
                             const std::vector<OutOfForce>& places);

}  // namespace plumbline::firewall
