// Permanent neighbours and proxies of a simulated namespace (net/core/neighbour.c). Nothing is ever
// learned here.

#pragma once

#include "plumbline/wire/netlink.hpp"
#include "tests/sim/namespace.hpp"

namespace plumbline::sim {

void new_neighbour(Namespace& there, const wire::Message& message);
void remove_neighbour(Namespace& there, const wire::Message& message);
/// Proxies where the request says NTF_PROXY, else all others.
[[nodiscard]] wire::Bytes dump_neighbours(const Namespace& there, const wire::Message& request);
/// The link went down: neigh_ifdown().
void forget_neighbours(Device& device);
/// Its MAC is another: neigh_changeaddr(), which leaves proxies.
void flush_neighbours(Device& device);

}  // namespace plumbline::sim
