// What one entry alone cannot show: entries that contradict each other.
//
// Only what no host could carry out; what depends on the host is found by plan. Private to this
// layer.

#pragma once

#include "plumbline/spec/load.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::spec {

/// `root` is the document that `state` was decoded from; faults go to its diagnostics.
void check(const wire::Entry& root, const State& state);

}  // namespace plumbline::spec
