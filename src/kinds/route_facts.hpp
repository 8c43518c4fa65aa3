// What is so of every route, whoever writes it.

#pragma once

#include <cstdint>

#include "plumbline/kinds/route.hpp"

namespace plumbline::detail {

/// IP6_RT_PRIO_USER (include/uapi/linux/ipv6_route.h): what no metric means for IPv6.
inline constexpr std::uint32_t ipv6_default_metric = 1024;

[[nodiscard]] inline bool goes_nowhere(RouteType type) {
  return type == RouteType::blackhole || type == RouteType::unreachable ||
         type == RouteType::prohibit;
}

}  // namespace plumbline::detail
