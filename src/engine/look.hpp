// Looking at everything that matters to what is desired, or is remembered.

#pragma once

#include "plumbline/engine/pass.hpp"

namespace plumbline::engine {

/// `memory`: the ledger's; `around`: links and addresses, when they were looked at already. Throws
/// io::HostError, wire::Malformed.
[[nodiscard]] Observed look(const Context& context, const spec::Desired& desired,
                            const memory::Memory& memory, Observed around);
/// For when something was changed, rules with their text: tries for two seconds, so that somebody
/// who changes the host all the time does not make it unknown what came of that.
[[nodiscard]] Observed look_after(const Context& context, const spec::Desired& desired,
                                  const memory::Memory& memory);

/// What tells the chains from others of their names: the handles of chain and table, on nf_tables
/// as looked at last.
[[nodiscard]] memory::ChainIdentities identities(const Context& context,
                                                 const std::set<SharedChain::Key>& chains);

/// A guest's TAP whose alias and group somebody set is known by its place: of the name that the
/// ledger's copy has, and a port of its network's bridge, which is ours. It counts as ours again,
/// with its mark to be finished; else the guest that sends by it would go on without its guards.
void know_by_place(State& have, const std::vector<spec::Assignment>& copy, const Mark& mark);

void name_rules(const Context& context, State& state);

}  // namespace plumbline::engine
