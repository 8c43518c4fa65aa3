// Ending what flowed before the guards of a network were in.

#pragma once

#include "plumbline/engine/pass.hpp"

namespace plumbline::engine {

/// What cannot be ended now is tried again by the next pass.
void end_flows(const Context& context, const Prepared& prepared, Ledger& ledger,
               std::vector<Diagnostic>& warnings);

}  // namespace plumbline::engine
