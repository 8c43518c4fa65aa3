// What was applied last, as digests: Memory::applied. It tells drift from a changed spec.

#pragma once

#include <cstdint>
#include <string_view>

#include "plumbline/memory/memory.hpp"

namespace plumbline::memory {

/// The digest that Memory::applied holds for a value.
[[nodiscard]] std::uint64_t digest(const Resource& wanted);
[[nodiscard]] std::uint64_t digest_of(std::string_view text);

/// Whether it was applied last as it is now.
[[nodiscard]] bool is_applied(const Memory& memory, const Resource& wanted);

/// Notes in Memory::applied that `wanted` was applied.
void note_applied(std::map<std::string, std::uint64_t>& applied, const Resource& wanted);

}  // namespace plumbline::memory
