// JSON as it leaves the program: in UTF-8 whatever was in it, and without secret keys wherever
// somebody wrote one.

#pragma once

#include <boost/json/fwd.hpp>
#include <string>

namespace plumbline::report {

/// On one line.
[[nodiscard]] std::string compact(const boost::json::value& value);
/// Indented by two spaces, for people.
[[nodiscard]] std::string pretty(const boost::json::value& value);

}  // namespace plumbline::report
