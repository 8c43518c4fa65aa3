// Flows that were let through, or began, before the chains that now judge them.
//
// NAT is decided by the first packet of a flow, and so is which end is the one that answers: what
// flowed before a network's chains were there goes on as it was, until the kernel forgets it.

#pragma once

#include <set>
#include <string>

#include "plumbline/io/host.hpp"
#include "plumbline/spec/expand.hpp"
#include "plumbline/state/step.hpp"

namespace plumbline::firewall {

/// The networks whose flows from before may run on once the guards of `plan` are in.
[[nodiscard]] std::set<std::string> networks_with_flows(const Plan& plan);

/// Once the guards are in: of those `networks`, flows of guests that leave without the NAT they
/// should have, and flows to guests that somebody else began; not those of the host itself. Returns
/// why that was not possible, in words, or nothing.
[[nodiscard]] std::string flush_flows(io::Host& host, const std::set<std::string>& networks,
                                      const spec::Desired& desired, const State& have);

}  // namespace plumbline::firewall
