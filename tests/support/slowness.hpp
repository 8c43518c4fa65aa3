// How many times longer everything may take on this machine than on one of its own.

#pragma once

#include <algorithm>
#include <cstdlib>

namespace plumbline::test {

/// Of an emulated machine, which says so in PLUMBLINE_TEST_SLOWNESS; else 1.
[[nodiscard]] inline int slowness_of_machine() {
  const char* const said = std::getenv("PLUMBLINE_TEST_SLOWNESS");
  return said == nullptr ? 1 : std::max(1, std::atoi(said));
}

}  // namespace plumbline::test
