// SHA-256: names that follow from what they name, and fingerprints of what must not be shown.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace plumbline {

using Sha256 = std::array<std::uint8_t, 32>;

[[nodiscard]] Sha256 sha256(std::string_view bytes);

/// The first `digits` of the hash in lower-case hex; at most 64.
[[nodiscard]] std::string sha256_hex(std::string_view bytes, std::size_t digits);

}  // namespace plumbline
