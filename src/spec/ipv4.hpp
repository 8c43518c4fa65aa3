// IPv4 addresses as numbers, to count through a subnet.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "plumbline/base/ip.hpp"

namespace plumbline::spec {

[[nodiscard]] inline std::uint32_t number_of(const IpAddress& address) {
  std::uint32_t number = 0;
  for (const std::byte byte : address.bytes()) {
    number = number << 8U | std::to_integer<std::uint32_t>(byte);
  }
  return number;
}

[[nodiscard]] inline IpAddress ipv4(std::uint32_t number) {
  const std::array<std::byte, 4> bytes{std::byte(number >> 24U), std::byte(number >> 16U & 255U),
                                       std::byte(number >> 8U & 255U), std::byte(number & 255U)};
  return *IpAddress::from_bytes(bytes);
}

/// From the network's address to that of its broadcast: the host bits, all set.
[[nodiscard]] inline std::uint32_t last_offset(const Prefix& subnet) {
  return subnet.length() == 0 ? UINT32_MAX : (std::uint32_t{1} << (32U - subnet.length())) - 1;
}

/// How many guests an IPv4 subnet of up to /30 has addresses for: all but the network's, the
/// gateway's and the broadcast's.
[[nodiscard]] inline std::uint32_t guest_capacity(const Prefix& subnet) {
  return last_offset(subnet) - 2;
}

/// Whether a guest may have that address of the subnet.
[[nodiscard]] inline bool is_guest_address(const Prefix& subnet, const IpAddress& address) {
  if (address.family() != Family::inet || !subnet.contains(address)) return false;
  const std::uint32_t offset = number_of(address) - number_of(subnet.address());
  return offset >= 2 && offset < last_offset(subnet);
}

[[nodiscard]] inline bool overlap(const Prefix& a, const Prefix& b) {
  return a.contains(b.address()) || b.contains(a.address());
}

}  // namespace plumbline::spec
