// Chains that change in two commits: what holds traffic back goes in before traffic can flow, and
// comes out only after it has stopped.
//
// Decides per chain what the state between is. A change whose parts need no waiting for each other
// stays one commit. In a plan in which nothing but rules ends all changes are one, so that nobody
// sees half of them.

#pragma once

#include "draft.hpp"

namespace plumbline {

/// Says of each change to a chain when it is due: Draft::lets_go, or Draft::middle for two commits.
void go_gradually(Drafts& drafts);

}  // namespace plumbline
