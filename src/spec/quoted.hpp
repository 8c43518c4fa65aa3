// Names as messages show them.

#pragma once

#include <string>

#include "plumbline/base/if_name.hpp"

namespace plumbline::spec {

[[nodiscard]] inline std::string quoted(const IfName& name) { return "'" + format(name) + "'"; }

}  // namespace plumbline::spec
