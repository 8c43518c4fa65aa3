// IP addresses and prefixes: parsed once, strictly, then trusted.
//
// Text is what inet_pton(3) takes and no more: four decimal octets without leading zeros, prefix
// lengths as plain decimal integers. Nothing is ever looked up in DNS.

#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "plumbline/base/family.hpp"

namespace plumbline {

class IpAddress {
 public:
  /// 0.0.0.0
  IpAddress() = default;

  static std::optional<IpAddress> parse(std::string_view text);
  /// From network byte order: 4 bytes are IPv4, 16 are IPv6, anything else is nothing.
  static std::optional<IpAddress> from_bytes(std::span<const std::byte> bytes);
  /// 0.0.0.0 or ::
  static IpAddress any(Family family);

  [[nodiscard]] Family family() const { return family_; }
  /// Network byte order, 4 or 16 bytes.
  [[nodiscard]] std::span<const std::byte> bytes() const;
  /// The address with every bit behind `length` cleared.
  [[nodiscard]] IpAddress masked(std::uint8_t length) const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::inet;
  std::array<std::byte, 16> bytes_{};
};

[[nodiscard]] std::string format(const IpAddress& address);

/// A network: an address whose host bits are zero, and its length.
class Prefix {
 public:
  /// 0.0.0.0/0
  Prefix() = default;

  /// `address/length`, or a bare address for the whole length. Host bits set: nothing.
  static std::optional<Prefix> parse(std::string_view text);
  /// Clears the host bits. `length` beyond the family's is cut to it.
  static Prefix masking(const IpAddress& address, std::uint8_t length);
  static Prefix any(Family family) { return masking(IpAddress::any(family), 0); }

  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] std::uint8_t length() const { return length_; }
  [[nodiscard]] Family family() const { return address_.family(); }
  [[nodiscard]] bool contains(const IpAddress& address) const;

  auto operator<=>(const Prefix&) const = default;

 private:
  IpAddress address_;
  std::uint8_t length_ = 0;
};

/// Always with the length: `10.0.0.0/8`, `10.0.0.1/32`.
[[nodiscard]] std::string format(const Prefix& prefix);

/// In fe80::/10: it has a meaning on one link only.
[[nodiscard]] bool is_link_local(const IpAddress& address);

/// An address of an interface and the length of the network it is in: host bits are kept.
struct InterfaceAddress {
  IpAddress address;
  std::uint8_t length = 0;

  /// `address/length`; the length is required.
  static std::optional<InterfaceAddress> parse(std::string_view text);

  [[nodiscard]] Prefix network() const { return Prefix::masking(address, length); }

  auto operator<=>(const InterfaceAddress&) const = default;
};

[[nodiscard]] std::string format(const InterfaceAddress& address);

}  // namespace plumbline
