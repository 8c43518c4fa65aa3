// Guests as the terminal, a program or a spec gets to see them.

#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "plumbline/spec/assignments.hpp"

namespace plumbline::cli {

/// An object per guest's interface: what whoever starts the guest needs.
[[nodiscard]] boost::json::array guests_json(const std::vector<spec::Assignment>& guests);
/// A table, one line per interface.
[[nodiscard]] std::string guests_text(const std::vector<spec::Assignment>& guests);
/// A spec that gives explicitly what is assigned.
[[nodiscard]] boost::json::object guests_spec(const std::vector<spec::Assignment>& guests);

}  // namespace plumbline::cli
