// The two address families of IP, by the names ip(8) and nft(8) print.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace plumbline {

enum class Family : std::uint8_t { inet, inet6 };

[[nodiscard]] constexpr std::string_view format(Family family) {
  return family == Family::inet ? "inet" : "inet6";
}

/// `inet` or `inet6`, else nothing.
[[nodiscard]] constexpr std::optional<Family> parse_family(std::string_view text) {
  if (text == "inet") return Family::inet;
  if (text == "inet6") return Family::inet6;
  return std::nullopt;
}

/// Bits in an address of the family: 32 or 128.
[[nodiscard]] constexpr std::uint8_t address_bits(Family family) {
  return family == Family::inet ? 32 : 128;
}

/// AF_INET or AF_INET6.
[[nodiscard]] std::uint8_t address_family(Family family);

}  // namespace plumbline
