// Where a tunnel's peer is reached: an address and a UDP port.

#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plumbline/base/ip.hpp"

namespace plumbline {

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t scope = 0;  ///< of a link-local address, only observed: the index of its link

  /// `192.0.2.1:51820` or `[2001:db8::1]:51820`, the port from 1 on. Names are never looked up.
  static std::optional<Endpoint> parse(std::string_view text);

  auto operator<=>(const Endpoint&) const = default;
};

[[nodiscard]] std::string format(const Endpoint& endpoint);

}  // namespace plumbline
