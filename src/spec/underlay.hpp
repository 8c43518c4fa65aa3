// Tunnels whose own packets would go into themselves: a VXLAN whose `remote`, or a WireGuard peer
// whose `endpoint`, is in the network of an address on the tunnel, or on what stands on it.
//
// Knows the spec only. Where the spec has policy rules, or the tunnel marks its packets, another
// table may lead elsewhere, and nothing is said.

#pragma once

#include "plumbline/spec/load.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::spec {

/// `root` is the document that `state` was decoded from; faults go to its diagnostics.
void check_underlays(const wire::Entry& root, const State& state);

}  // namespace plumbline::spec
