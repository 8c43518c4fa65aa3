// What of networks only the host can tell: where it leaves, and what is in the way.

#pragma once

#include <vector>

#include "plumbline/spec/assignments.hpp"

namespace plumbline::spec {

/// The interfaces of all IPv4 default routes of the main table, the host's and the spec's; sorted.
[[nodiscard]] std::vector<IfName> default_uplinks(const Spec& spec, const Facts& facts);

/// Subnets that the host has a network in, tunnels that are an uplink or a bridge; a warning where
/// there is no default route to follow, or no such uplink.
void check_against_host(const std::vector<AssignedNetwork>& networks, const Spec& spec,
                        const Facts& facts, Diagnostics& diagnostics);

}  // namespace plumbline::spec
