// Looking at everything that matters to what is desired, or is remembered.

#pragma once

#include "plumbline/engine/pass.hpp"

namespace plumbline::engine {

/// `earlier`: the ledger's; `around`: links and addresses, when they were looked at already. Throws
/// io::HostError, wire::Malformed.
[[nodiscard]] Observed look(const Workshop& workshop, const spec::Desired& desired,
                            const State& earlier, Observed around);
/// For when something was changed, rules with their text: tries for two seconds, so that somebody
/// who changes the host all the time does not make it unknown what came of that.
[[nodiscard]] Observed look_after(const Workshop& workshop, const spec::Desired& desired,
                                  const State& earlier);

void name_rules(const Workshop& workshop, State& state);

}  // namespace plumbline::engine
