// A link-layer address of six bytes.

#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plumbline {

class Mac {
 public:
  Mac() = default;

  /// Six pairs of hex digits with colons between them, in either letter case.
  static std::optional<Mac> parse(std::string_view text);
  /// Exactly six bytes, else nothing (an IP tunnel has four, an InfiniBand port twenty).
  static std::optional<Mac> from_bytes(std::span<const std::byte> bytes);

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  /// The group bit of the first byte: no interface can have such an address.
  [[nodiscard]] bool is_multicast() const { return (bytes_[0] & std::byte{1}) != std::byte{0}; }
  [[nodiscard]] bool is_zero() const { return *this == Mac(); }

  auto operator<=>(const Mac&) const = default;

 private:
  std::array<std::byte, 6> bytes_{};
};

/// Lower case, as ip-link(8) prints it.
[[nodiscard]] std::string format(const Mac& mac);

}  // namespace plumbline
