// The plan of a pass, before anything is changed and again afterwards.
//
// Private to engine; it looks at nothing.

#pragma once

#include "plumbline/engine/pass.hpp"

namespace plumbline::engine {

/// From what was observed to what is desired, and which rules would judge nothing.
void plan_for(const Context& context, Prepared& prepared);

/// Says of each step which networks it is for; of a TAP that goes, which it was for.
void name_networks(const spec::Desired& desired, Plan& plan);

}  // namespace plumbline::engine
