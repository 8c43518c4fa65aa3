#include "plumbline/kernel/kernel_made.hpp"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>

namespace plumbline::kernel {

namespace {

bool is_loopback(const IpAddress& address) {
  const auto first = std::to_integer<unsigned>(address.bytes()[0]);
  return address.family() == Family::inet ? first == 127 : address == *IpAddress::parse("::1");
}

bool is_of_protocol_kernel(const Address& address) {
  return address.protocol != IFAPROT_UNSPEC && address.protocol <= IFAPROT_KERNEL_LL;
}

/// The network that the kernel makes a route to along with the address, as fib_add_ifaddr() in
/// net/ipv4/fib_frontend.c and inet6_addr_add() in net/ipv6/addrconf.c do.
std::optional<Prefix> connected_network(const Address& address) {
  if ((address.chosen_flags.value_or(0) & IFA_F_NOPREFIXROUTE) != 0) return std::nullopt;
  return Prefix::masking(address.peer.value_or(address.local.address), address.local.length);
}

}  // namespace

KernelMade::KernelMade(const State& have, const State& want) {
  for (const State* state : {&have, &want}) {
    for (const Address& address : state->of<Address>()) {
      addresses_[address.link].push_back(address);
      tells_ = tells_ || is_of_protocol_kernel(address);
    }
  }
}

bool KernelMade::operator()(const Resource& resource) const {
  return std::visit([this](const auto& value) { return (*this)(value); }, resource);
}

bool KernelMade::operator()(const Address& address) const {
  const IpAddress& local = address.local.address;
  const bool v6 = local.family() == Family::inet6;
  switch (address.protocol) {
    case IFAPROT_KERNEL_LO:
      return is_loopback(local);
    case IFAPROT_KERNEL_RA:
      return v6;
    case IFAPROT_KERNEL_LL:
      return v6 && is_link_local(local);
    default:
      break;
  }
  // Nobody else can set the flag (inet6_rtm_newaddr() in net/ipv6/addrconf.c).
  if (address.temporary) return true;
  if (tells_ || address.protocol != IFAPROT_UNSPEC || !v6) return false;
  // Before: a link-local address may be one of the kernel's own, and one that it got from a router
  // has a lifetime and makes temporary ones.
  const bool from_router =
      !address.permanent && (address.chosen_flags.value_or(0) & IFA_F_MANAGETEMPADDR) != 0;
  return is_link_local(local) || from_router;
}

bool KernelMade::operator()(const Route& route) const {
  const bool by_gateway = std::ranges::any_of(
      route.nexthops, [](const Nexthop& nexthop) { return nexthop.via.has_value(); });
  const bool v6 = route.family() == Family::inet6;
  // A router's default routes and networks end some time. The kernel shows no route of protocol
  // `redirect`: what it was told so is an exception to another (rt6_do_redirect() in
  // net/ipv6/route.c).
  if (route.protocol == RTPROT_RA) return v6 && route.has_more;
  if (route.protocol != RTPROT_KERNEL || by_gateway) return false;
  return route.nexthops.empty() || route.type == RouteType::other || (v6 && route.has_more) ||
         follows_from_address(route);
}

bool KernelMade::follows_from_address(const Route& route) const {
  const IpAddress to = route.to.address();
  const auto first = std::to_integer<unsigned>(to.bytes()[0]);
  if (is_loopback(to)) return true;
  // Multicast, and the network of link-local addresses: of every link that is up.
  if (route.family() == Family::inet6 && (first == 0xff || is_link_local(to))) return true;
  return std::ranges::any_of(route.nexthops, [&](const Nexthop& nexthop) {
    const auto found = nexthop.dev ? addresses_.find(*nexthop.dev) : addresses_.end();
    if (found == addresses_.end()) return false;
    return std::ranges::any_of(found->second, [&](const Address& address) {
      return route.type == RouteType::local ? address.local.address == to
                                            : connected_network(address) == route.to;
    });
  });
}

}  // namespace plumbline::kernel
