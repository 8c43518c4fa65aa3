// The word that `--format` has on a command line.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plumbline/report/report.hpp"

namespace plumbline::cli {

/// `{text,json}`
[[nodiscard]] std::string format_words();
/// As far as can be told of a command line that makes no sense.
[[nodiscard]] report::Format format_in(const std::vector<std::string_view>& arguments);

}  // namespace plumbline::cli
