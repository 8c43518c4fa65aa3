// The command that makes somebody else's object ours.

#pragma once

#include <string>

#include "plumbline/state/state.hpp"

namespace plumbline::plan {

/// For a shell: `plumbline adopt 'link br0'`.
[[nodiscard]] std::string adopt_command(const Key& key);

}  // namespace plumbline::plan
