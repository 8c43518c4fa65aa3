// Whether a dump of routes is whole.
//
// The kernel ends it, of each family, at a route that is larger than a part of a dump, without an
// error or a word since Linux 6.10 and for IPv6 always. What is behind that route would count as
// absent. It says nothing about how many routes there are: only that the last table was not reached
// can be seen.

#pragma once

#include <functional>
#include <string>

#include "plumbline/state/state.hpp"

namespace plumbline::kernel {

/// Has the kernel answer one request.
using Ask = std::function<wire::Reply(const wire::Request&)>;

/// In words, where the list of the routes in `have`, which are not sorted yet, was cut off; empty
/// where they are all there.
[[nodiscard]] std::string cut_off_routes(const State& have, const LinkNames& links, const Ask& ask);

}  // namespace plumbline::kernel
