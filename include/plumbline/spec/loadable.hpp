// The last word on a document that `show` prints: load() itself.
//
// What load() refuses is taken out, the smallest part that means something by itself: a setting of
// a link, a route, a chain. Tunnels stay, whose keys are shown as fingerprints.

#pragma once

#include <boost/json/fwd.hpp>
#include <vector>

#include "plumbline/base/diagnostics.hpp"

namespace plumbline::spec {

/// What was taken out of `document`, by its place in it, and why.
[[nodiscard]] std::vector<Diagnostic> make_loadable(boost::json::object& document);

}  // namespace plumbline::spec
