// Paths of settings below /proc/sys, in parts.

#pragma once

#include <string_view>
#include <vector>

namespace plumbline::detail {

/// What stands between its slashes.
[[nodiscard]] std::vector<std::string_view> path_components(std::string_view path);

}  // namespace plumbline::detail
