// Where a route leads, in the words of a spec: `via`, `dev`, `onlink`, `nexthops`.

#pragma once

#include <boost/json/fwd.hpp>
#include <optional>

#include "plumbline/kinds/route.hpp"

namespace plumbline::detail {

/// An address that can stand for one neighbour or one host.
[[nodiscard]] std::optional<IpAddress> host_word(const wire::Entry& entry);

/// Fills the nexthops of a route whose type is known. False when they are wrong or do not suit it.
[[nodiscard]] bool read_nexthops(const wire::Entry& entry, Route& route);

/// The kernel lists routes in parts of 32 KiB less some 400 bytes of its own, and ends the list of
/// a whole family without a word at a route that is larger (netlink_dump() in
/// net/netlink/af_netlink.c; measured on 6.1 and 6.18: 32448 bytes). The next hops leave some 700
/// of them to the rest of the route and to kernels that take more for themselves.
inline constexpr std::size_t most_nexthop_bytes = std::size_t{31} << 10U;
/// Of IPv4 gateways; others take more room.
inline constexpr std::size_t most_nexthops = most_nexthop_bytes / 16;

/// Whether the kernel can list the route again; else an error.
[[nodiscard]] bool fits_into_a_dump(const wire::Entry& entry, const Route& route);

void put_nexthops(const Route& route, boost::json::object& out);

}  // namespace plumbline::detail
