// A state as the document that load() would read it from: what `show` prints.

#pragma once

#include <boost/json/fwd.hpp>

#include "plumbline/state/state.hpp"

namespace plumbline::spec {

/// Addresses of links that `state` does not hold come under a `physical` entry. What the format
/// cannot express is left out: routes with more to them, kinds of links it does not know.
[[nodiscard]] boost::json::object compose(const State& state);

}  // namespace plumbline::spec
