// Guests as the spec that gives explicitly what they are assigned.

#pragma once

#include <boost/json/fwd.hpp>
#include <vector>

#include "plumbline/spec/assignments.hpp"

namespace plumbline::report {

[[nodiscard]] boost::json::object spec_of(const std::vector<spec::Assignment>& guests);

}  // namespace plumbline::report
