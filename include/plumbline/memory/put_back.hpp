// What is to be put back and cannot be, and the words that say so.

#pragma once

#include <string>
#include <vector>

#include "plumbline/memory/memory.hpp"

namespace plumbline::memory {

/// A setting that no spec names and that is not as it shall be.
struct Due {
  std::string key;
  wire::Request probe;  ///< whether it can be written
};
[[nodiscard]] std::vector<Due> due(const State& want, const State& have, const Memory& memory);

/// What a value waits for that the kernel refused.
[[nodiscard]] std::string waits_for(const Resource& refused);

/// Whether it is remembered, and no spec names it.
[[nodiscard]] bool is_to_be_put_back(const Memory& memory, const State& want, const Key& key);

}  // namespace plumbline::memory
