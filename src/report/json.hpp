// Values as documents of JSON.

#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "plumbline/doctor/doctor.hpp"
#include "plumbline/engine/pass.hpp"

namespace plumbline::report {

[[nodiscard]] boost::json::object to_json(const Plan& plan);
[[nodiscard]] boost::json::object to_json(const engine::Prepared& prepared,
                                          const engine::Outcome& outcome);
/// An object per guest's interface: what whoever starts the guest needs.
[[nodiscard]] boost::json::array to_json(const std::vector<spec::Assignment>& guests);
[[nodiscard]] boost::json::object to_json(const std::vector<doctor::Finding>& findings);
/// With their places.
[[nodiscard]] boost::json::array to_json(const std::vector<Diagnostic>& diagnostics);

}  // namespace plumbline::report
