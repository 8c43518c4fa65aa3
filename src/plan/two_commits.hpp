// When the firewall's changes are due: before traffic can flow, or only after it has stopped.
//
// In a plan in which nothing but rules ends every change of a chain that stays is part of the first
// commit, so that nobody sees half of them; only chains that go, and shared chains in which nothing
// of ours is wanted any more, come last as ever.

#pragma once

#include "draft.hpp"

namespace plumbline::plan {

/// Says of each change of stage guard when it is due: Draft::lets_go, or Draft::middle for two
/// commits.
void go_gradually(Drafts& drafts);

}  // namespace plumbline::plan
