// Which of our families a message of nfnetlink is about. NFPROTO_IPV4, NFPROTO_IPV6 and
// NFPROTO_BRIDGE are the numbers of address_family().

#pragma once

#include <cstdint>
#include <optional>

#include "plumbline/base/family.hpp"

namespace plumbline::firewall {

[[nodiscard]] inline std::optional<Family> family_of(std::uint8_t number) {
  for (const Family family : {Family::inet, Family::inet6, Family::bridge}) {
    if (address_family(family) == number) return family;
  }
  return std::nullopt;
}

}  // namespace plumbline::firewall
