// Chains that change in two commits: what holds traffic back goes in before traffic can flow, and
// comes out only after it has stopped.
//
// Decides per chain what the state between is. A change whose parts need no waiting for each other
// stays one commit. In a plan in which nothing but rules ends every change of a chain that stays is
// part of the first commit, so that nobody sees half of them; only chains that go, and shared
// chains in which nothing of ours is wanted any more, come last as ever.
//
// It looks at no rule's match. A rule that is to go and leads elsewhere by -g holds up what stands
// behind it until it goes, a new DROP too.

#pragma once

#include "draft.hpp"

namespace plumbline {

/// Says of each change to a chain when it is due: Draft::lets_go, or Draft::middle for two commits.
void go_gradually(Drafts& drafts);

}  // namespace plumbline
