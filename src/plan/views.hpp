// The two ends of a plan as providers: what is there now and stays, and what is there in the end.

#pragma once

#include "draft.hpp"
#include "providers.hpp"

namespace plumbline::plan {

/// Steady: what goes on to provide it, whatever the drafts do.
[[nodiscard]] Providers providers_before(const State& have, const Drafts& drafts);
/// Steady: what no draft touches.
[[nodiscard]] Providers providers_after(const State& have, const Drafts& drafts);
/// Every chain that is or shall be there.
[[nodiscard]] ChainNames known_chains(const State& have, const State& want);

/// Sets `waits_for` of every draft whose needs nobody meets in the end, until nothing changes: what
/// waits for a blocked object is blocked too.
void settle_blocked(const State& have, const ChainNames& chains, Drafts& drafts);

}  // namespace plumbline::plan
