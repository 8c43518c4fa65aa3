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

void name_rules(const Context& context, State& state);

}  // namespace plumbline::engine
