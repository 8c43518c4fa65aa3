// The chains of a family as iptables-save prints them: asked for, and read once.
//
// What cannot be observed is an error, never "no rules".

#pragma once

#include <string>

#include "plumbline/firewall/text/iptables.hpp"
#include "plumbline/io/host.hpp"
#include "plumbline/state/state.hpp"

namespace plumbline::firewall {

/// With what the host has to say beside it as a warning too. Throws io::HostError when the rules
/// cannot be seen.
[[nodiscard]] Saved ask_for_saved(io::Host& host, Family family);

/// Puts all chains of the family into `state`, as values of both kinds, by text. Returns a warning,
/// or nothing. Throws io::HostError.
[[nodiscard]] std::string observe_saved(io::Host& host, Family family, State& state);

}  // namespace plumbline::firewall
