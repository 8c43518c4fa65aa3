// Whether a dump of routes is whole.
//
// The kernel ends it, of each family, at a route that is larger than a part of a dump, without an
// error or a word since Linux 6.10 and for IPv6 always. What is behind that route would count as
// absent. It says nothing about how many routes there are: only that the last table was not reached
// can be seen.

#pragma once

#include "plumbline/engine/observe.hpp"

namespace plumbline::engine {

/// Throws io::HostError where the routes in `observed`, which are not sorted yet, are not all.
void demand_whole_routes(io::Host& host, const Observed& observed);

}  // namespace plumbline::engine
