// The families of tables and addresses: the two of IP, by the names ip(8) and nft(8) print, and
// `bridge`, whose tables are those of ebtables(8). Addresses, routes and policy rules are of IP.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace plumbline {

enum class Family : std::uint8_t { inet, inet6, bridge };

[[nodiscard]] constexpr std::string_view format(Family family) {
  switch (family) {
    case Family::inet:
      return "inet";
    case Family::inet6:
      return "inet6";
    case Family::bridge:
      return "bridge";
  }
  return {};
}

/// `inet`, `inet6` or `bridge`, else nothing.
[[nodiscard]] constexpr std::optional<Family> parse_family(std::string_view text) {
  if (text == "inet") return Family::inet;
  if (text == "inet6") return Family::inet6;
  if (text == "bridge") return Family::bridge;
  return std::nullopt;
}

/// Bits in an IP address of the family: 32 or 128; 0 where there are none.
[[nodiscard]] constexpr std::uint8_t address_bits(Family family) {
  switch (family) {
    case Family::inet:
      return 32;
    case Family::inet6:
      return 128;
    case Family::bridge:
      return 0;
  }
  return 0;
}

/// AF_INET, AF_INET6 or AF_BRIDGE, which are nf_tables' numbers too.
[[nodiscard]] std::uint8_t address_family(Family family);

}  // namespace plumbline
