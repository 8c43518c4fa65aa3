// Addresses of a simulated namespace, and what happens to them with their links.
//
// An IPv6 address is there for good at once: duplicate address detection takes time, and there is
// none. For the same reason no link gives itself a link-local address, as with `addr_gen_mode` 1.

#pragma once

#include "plumbline/wire/netlink.hpp"
#include "tests/sim/namespace.hpp"

namespace plumbline::sim {

/// IPV6_MIN_MTU
inline constexpr std::uint32_t least_inet6_mtu = 1280;

void new_address(Namespace& there, const wire::Message& message);
void remove_address(Namespace& there, const wire::Message& message);
/// Of the family asked for, or of both.
[[nodiscard]] wire::Bytes dump_addresses(const Namespace& there, const wire::Message& request);

// ---- IPv4 (inet.cpp) ----------------------------------------------------------------------------

void add_inet(Namespace& there, Device& device, Address address);
/// The one that an RTM_DELADDR means, as place in `device.inet`.
void remove_inet(Namespace& there, Device& device, std::size_t place);
void change_inet(Namespace& there, Device& device, Address& present, const Address& wanted);
void inet_up(Namespace& there, Device& device);
void inet_down(Namespace& there, Device& device);
void inet_gone(Namespace& there, Device& device);

// ---- IPv6 (inet6.cpp) ---------------------------------------------------------------------------

void add_inet6(Namespace& there, Device& device, Address address);
void remove_inet6(Namespace& there, Device& device, std::size_t place);
void change_inet6(Namespace& there, Device& device, Address& present, const Address& wanted);
void inet6_up(Namespace& there, Device& device);
void inet6_down(Namespace& there, Device& device);
/// `for_good`: not only addresses and routes, but all that IPv6 knows of the link.
void inet6_gone(Namespace& there, Device& device, bool for_good);

// ---- both ---------------------------------------------------------------------------------------

void carrier_changed(Namespace& there, Device& device);
void mtu_changed(Namespace& there, Device& device);

}  // namespace plumbline::sim
