// IPv4 addresses (net/ipv4/devinet.c) and the routes that come and go with them
// (net/ipv4/fib_frontend.c).

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "tests/sim/addresses.hpp"
#include "tests/sim/refusal.hpp"
#include "tests/sim/routes.hpp"
#include "tests/sim/sysctls.hpp"

namespace plumbline::sim {

namespace {

bool is_secondary(const Address& address) { return (address.flags & IFA_F_SECONDARY) != 0; }

bool same_network(const Address& one, const Address& other) {
  return one.length == other.length && one.network() == other.network();
}

/// The last address of the network: what frames to all of it are sent to.
IpAddress last_of(const Prefix& network) {
  std::array<std::byte, 4> bytes{};
  std::ranges::copy(network.address().bytes(), bytes.begin());
  for (unsigned bit = network.length(); bit < 32; ++bit) {
    bytes.at(bit / 8) |= std::byte{static_cast<unsigned char>(0x80U >> bit % 8)};
  }
  return *IpAddress::from_bytes(bytes);
}

Route kernel_route(const Device& device, std::uint8_t type, const Prefix& to,
                   const IpAddress& source, std::uint32_t metric = 0) {
  Route route;
  route.table = type == RTN_UNICAST ? RT_TABLE_MAIN : RT_TABLE_LOCAL;
  route.to = to;
  route.type = type;
  route.protocol = RTPROT_KERNEL;
  route.scope = type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_LINK;
  route.metric = metric;
  route.source = source;
  // A local address is nowhere else (fib_create_info()).
  const std::uint8_t scope = type == RTN_LOCAL ? RT_SCOPE_NOWHERE : RT_SCOPE_HOST;
  route.nexthops = {{device.index, {}, 0, 0, scope}};
  return route;
}

/// The primary of the network that the address is in.
const Address* primary_of(const Device& device, const Address& address) {
  for (const Address& other : device.inet) {
    if (!is_secondary(other) && same_network(other, address)) return &other;
  }
  return nullptr;
}

Route network_route(const Device& device, const Address& address) {
  return kernel_route(device, device.is(IFF_LOOPBACK) ? RTN_LOCAL : RTN_UNICAST, address.network(),
                      address.local, address.metric);
}

bool has_network_route(const Address& address) {
  const Prefix network = address.network();
  const bool is_zero = network.address().bytes()[0] == std::byte{0};
  const bool is_itself = network.address() == address.local && address.length == 32;
  return !is_secondary(address) && !is_zero && !is_itself;
}

/// The routes of an address while its link is up, or only those while it is down
/// (fib_add_ifaddr()).
std::vector<Route> routes_of(const Device& device, const Address& address, bool up) {
  const Address* primary = is_secondary(address) ? primary_of(device, address) : &address;
  if (primary == nullptr) return {};
  const IpAddress& source = primary->local;
  const auto host = [](const IpAddress& ip) { return Prefix::masking(ip, 32); };
  std::vector<Route> routes{kernel_route(device, RTN_LOCAL, host(address.local), source)};
  if (!up) return routes;
  const IpAddress everybody = *IpAddress::parse("255.255.255.255");
  if (address.broadcast && *address.broadcast != everybody &&
      *address.broadcast != IpAddress::any(Family::inet)) {
    routes.push_back(kernel_route(device, RTN_BROADCAST, host(*address.broadcast), source));
  }
  if (!has_network_route(address)) return routes;
  if ((address.flags & IFA_F_NOPREFIXROUTE) == 0) {
    routes.push_back(network_route(device, address));
  }
  if (address.length < 31) {
    routes.push_back(kernel_route(device, RTN_BROADCAST, host(last_of(address.network())), source));
  }
  return routes;
}

bool same_but_metric(const Route& one, const Route& other) {
  return one.table == other.table && one.to == other.to && one.type == other.type &&
         one.source == other.source;
}

/// fib_del_ifaddr(): what no other address of the link needs.
void drop_routes(Namespace& there, Device& device, const std::vector<Route>& routes,
                 const IpAddress& address) {
  std::vector<Route> needed;
  for (const Address& other : device.inet) {
    std::ranges::copy(routes_of(device, other, true), std::back_inserter(needed));
  }
  for (const Route& route : routes) {
    const bool is_needed = std::ranges::any_of(
        needed, [&](const Route& other) { return same_but_metric(other, route); });
    if (!is_needed) remove_own_inet(there, route);
  }
  if (std::ranges::count(device.inet, address, &Address::local) != 0) return;
  const bool gone = std::ranges::none_of(there.inet.routes, [&](const Route& route) {
    return route.type == RTN_LOCAL && route.table == RT_TABLE_LOCAL && route.to.contains(address);
  });
  if (gone) source_gone(there, address);
}

/// Takes the address away and tells of it; who else goes is decided before.
void forget(Namespace& there, Device& device, std::size_t place) {
  const Address gone = device.inet[place];
  const std::vector<Route> routes = routes_of(device, gone, true);
  device.inet.erase(device.inet.begin() + static_cast<std::ptrdiff_t>(place));
  drop_routes(there, device, routes, gone.local);
  if (device.inet.empty()) lose_routes(there, Family::inet, device.index, Loss::of_addresses);
}

void add_routes(Namespace& there, const Device& device, const Address& address) {
  for (const Route& route : routes_of(device, address, device.is(IFF_UP))) {
    add_own(there, route);
  }
}

std::size_t place_of(const Device& device, const Address& wanted) {
  for (std::size_t i = 0; i < device.inet.size(); ++i) {
    const Address& address = device.inet[i];
    if (address.local == wanted.local && same_network(address, wanted)) return i;
  }
  return device.inet.size();
}

}  // namespace

/// __inet_insert_ifa()
void add_inet(Namespace& there, Device& device, Address address) {
  address.flags &= ~static_cast<std::uint32_t>(IFA_F_SECONDARY);
  std::size_t place = 0;
  for (std::size_t i = 0; i < device.inet.size(); ++i) {
    const Address& other = device.inet[i];
    if (!is_secondary(other) && address.scope <= other.scope) place = i + 1;
    if (!same_network(other, address)) continue;
    if (other.local == address.local) throw Refusal{EEXIST, "ipv4: Address already assigned"};
    if (other.scope != address.scope) throw Refusal{EINVAL, "ipv4: Invalid scope value"};
    address.flags |= IFA_F_SECONDARY;
  }
  if (is_secondary(address)) place = device.inet.size();
  const auto at = device.inet.begin() + static_cast<std::ptrdiff_t>(place);
  const Address added = *device.inet.insert(at, address);
  add_routes(there, device, added);
  revive_routes(there, Family::inet, device.index);
}

/// __inet_del_ifa()
void remove_inet(Namespace& there, Device& device, std::size_t place) {
  const Address gone = device.inet[place];
  if (is_secondary(gone)) return forget(there, device, place);
  std::vector<Address> followers;
  for (const Address& other : device.inet) {
    if (is_secondary(other) && same_network(other, gone)) followers.push_back(other);
  }
  if (followers.empty()) return forget(there, device, place);
  if (!promotes_secondaries(there, device)) {
    for (const Address& follower : followers) forget(there, device, place_of(device, follower));
    return forget(there, device, place_of(device, gone));
  }
  // The first of the others takes its place, and the routes of all get it as their source.
  std::vector<Route> before;
  for (const Address& follower : followers) {
    std::ranges::copy(routes_of(device, follower, true), std::back_inserter(before));
  }
  Address promoted = followers.front();
  promoted.flags &= ~static_cast<std::uint32_t>(IFA_F_SECONDARY);
  std::ranges::copy(routes_of(device, gone, true), std::back_inserter(before));
  device.inet.erase(device.inet.begin() + static_cast<std::ptrdiff_t>(place));
  device.inet.erase(device.inet.begin() + static_cast<std::ptrdiff_t>(place_of(device, promoted)));
  std::size_t to = 0;
  for (std::size_t i = 0; i < device.inet.size(); ++i) {
    if (!is_secondary(device.inet[i]) && promoted.scope <= device.inet[i].scope) to = i + 1;
  }
  device.inet.insert(device.inet.begin() + static_cast<std::ptrdiff_t>(to), promoted);
  drop_routes(there, device, before, gone.local);
  add_routes(there, device, promoted);
  for (std::size_t i = 1; i < followers.size(); ++i) add_routes(there, device, followers[i]);
}

/// inet_rtm_newaddr() with NLM_F_REPLACE
void change_inet(Namespace& there, Device& device, Address& present, const Address& wanted) {
  if (present.metric != wanted.metric) {
    const bool has_route = device.is(IFF_UP) && has_network_route(present) &&
                           (present.flags & IFA_F_NOPREFIXROUTE) == 0;
    const Route before = network_route(device, present);
    present.metric = wanted.metric;
    if (has_route) {
      add_own(there, network_route(device, present));
      remove_own_inet(there, before);
    }
  }
  present.protocol = wanted.protocol;
  present.preferred = wanted.preferred;
  present.valid = wanted.valid;
}

void inet_up(Namespace& there, Device& device) {
  if (device.is(IFF_LOOPBACK)) {  // inetdev_event()
    Address own;
    own.local = own.peer = *IpAddress::parse("127.0.0.1");
    own.length = 8;
    own.scope = RT_SCOPE_HOST;
    own.flags = IFA_F_PERMANENT;
    own.label = device.name;
    settle_inet(device);
    try {
      add_inet(there, device, own);
    } catch (const Refusal&) {
      // It is there.
    }
  }
  const std::vector<Address> addresses = device.inet;
  for (const Address& address : addresses) add_routes(there, device, address);
  revive_routes(there, Family::inet, device.index);
}

void inet_down(Namespace& there, Device& device) {
  lose_routes(there, Family::inet, device.index, Loss::of_link);
}

void inet_gone(Namespace& there, Device& device) {
  lose_routes(there, Family::inet, device.index, Loss::for_good);
  // Of secondaries nobody hears: their primary is gone before them (fib_del_ifaddr()).
  while (!device.inet.empty() && !is_secondary(device.inet.front())) forget(there, device, 0);
  device.inet.clear();
}

}  // namespace plumbline::sim
