// IPv6 addresses and the routes that come and go with them (net/ipv6/addrconf.c).

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "tests/sim/addresses.hpp"
#include "tests/sim/refusal.hpp"
#include "tests/sim/routes.hpp"
#include "tests/sim/sysctls.hpp"

namespace plumbline::sim {

namespace {

constexpr std::uint32_t prefix_metric = 256;  ///< IP6_RT_PRIO_ADDRCONF

bool is_loopback(const IpAddress& address) { return address == *IpAddress::parse("::1"); }

/// Greater ones come first in the list of a link (ipv6_addr_src_scope()).
int scope_of(const IpAddress& address) {
  return is_loopback(address) || is_link_local(address) ? 2 : 14;
}

Route kernel_route(const Device& device, std::uint8_t type, const Prefix& to, std::uint32_t table,
                   std::uint32_t metric) {
  Route route;
  route.table = table;
  route.to = to;
  route.type = type;
  route.protocol = RTPROT_KERNEL;
  route.scope = RT_SCOPE_UNIVERSE;
  route.metric = metric;
  route.nexthops = {{device.index, {}, 0, 0, 0}};
  return route;
}

Route local_route(const Device& device, const IpAddress& address) {
  return kernel_route(device, RTN_LOCAL, Prefix::masking(address, 128), RT_TABLE_LOCAL, 0);
}

Route prefix_route(const Device& device, const Prefix& prefix, std::uint32_t metric) {
  return kernel_route(device, RTN_UNICAST, prefix, RT_TABLE_MAIN,
                      metric != 0 ? metric : prefix_metric);
}

/// Of the address itself: a peer's is no network of ours.
Prefix prefix_of(const Address& address) { return Prefix::masking(address.local, address.length); }

void add_prefix_route(Namespace& there, const Device& device, const Address& address) {
  if (!device.is(IFF_UP) || address.protocol == IFAPROT_KERNEL_LO) return;
  if ((address.flags & IFA_F_NOPREFIXROUTE) != 0) return;
  add_own(there, prefix_route(device, prefix_of(address), address.metric));
}

/// Those of a new address, and of one that is there anew (__ipv6_ifa_notify()).
void add_host_routes(Namespace& there, const Device& device, const Address& address) {
  add_own(there, local_route(device, address.local));
  if (address.peer == address.local || !device.is(IFF_UP)) return;
  add_own(there, prefix_route(device, Prefix::masking(address.peer, 128), address.metric));
}

/// check_cleanup_prefix_route(): another address of that network keeps its route.
bool keeps_prefix(const Device& device, const Address& gone) {
  return std::ranges::any_of(device.inet6, [&](const Address& other) {
    return other.local != gone.local && other.length == gone.length &&
           prefix_of(other) == prefix_of(gone);
  });
}

void put_in(Device& device, const Address& address) {
  const auto at = std::ranges::find_if(device.inet6, [&](const Address& other) {
    return scope_of(address.local) >= scope_of(other.local);
  });
  device.inet6.insert(at, address);
}

}  // namespace

/// inet6_addr_add() and ipv6_add_addr()
void add_inet6(Namespace& there, Device& device, Address address) {
  if (inet6_setting(device, "disable_ipv6") != "0") {
    throw Refusal{EACCES, "ipv6: IPv6 is disabled on this device"};
  }
  const auto first = std::to_integer<unsigned>(address.local.bytes()[0]);
  if (address.local == IpAddress::any(Family::inet6)) {
    throw Refusal{EADDRNOTAVAIL, "ipv6: Invalid address"};
  }
  if (first == 0xff) {
    throw Refusal{EADDRNOTAVAIL,
                  "ipv6: Cannot assign multicast address without \"IFA_F_MCAUTOJOIN\" flag"};
  }
  if (is_loopback(address.local) && !device.is(IFF_LOOPBACK)) {
    throw Refusal{EADDRNOTAVAIL, "ipv6: Cannot assign loopback address on this device"};
  }
  put_in(device, address);
  add_host_routes(there, device, address);
  add_prefix_route(there, device, address);
}

/// ipv6_del_addr()
void remove_inet6(Namespace& there, Device& device, std::size_t place) {
  const Address gone = device.inet6[place];
  device.inet6.erase(device.inet6.begin() + static_cast<std::ptrdiff_t>(place));
  remove_own_inet6(there, local_route(device, gone.local));
  if (gone.peer != gone.local) {
    remove_own_inet6(there, prefix_route(device, Prefix::masking(gone.peer, 128), gone.metric));
  }
  if ((gone.flags & IFA_F_NOPREFIXROUTE) == 0 && !keeps_prefix(device, gone)) {
    remove_own_inet6(there, prefix_route(device, prefix_of(gone), gone.metric));
  }
  source_gone(there, gone.local);
}

/// inet6_addr_modify()
void change_inet6(Namespace& there, Device& device, Address& present, const Address& wanted) {
  const Address before = present;
  if (wanted.peer != wanted.local && wanted.peer != present.peer) {
    if (present.peer != present.local) {
      remove_own_inet6(there, prefix_route(device, Prefix::masking(present.peer, present.length),
                                           present.metric));
    }
    present.peer = wanted.peer;
  }
  present.flags = wanted.flags;
  present.protocol = wanted.protocol;
  if (wanted.metric != 0) present.metric = wanted.metric;
  present.preferred = wanted.preferred;
  present.valid = wanted.valid;
  const bool had = (before.flags & IFA_F_NOPREFIXROUTE) == 0;
  const bool has = (present.flags & IFA_F_NOPREFIXROUTE) == 0;
  if (!has) {
    if (had && device.is(IFF_UP) && !keeps_prefix(device, before)) {
      remove_own_inet6(there, prefix_route(device, prefix_of(before), before.metric));
    }
    return;
  }
  if (!device.is(IFF_UP)) return;
  if (had && before.metric != present.metric) {
    remove_own_inet6(there, prefix_route(device, prefix_of(before), before.metric));
  }
  add_own(there, prefix_route(device, prefix_of(present), present.metric));
  // modify_prefix_route() takes the whole network of a peer.
  if (present.peer == present.local) return;
  add_own(there,
          prefix_route(device, Prefix::masking(present.peer, present.length), present.metric));
}

void inet6_up(Namespace& there, Device& device) {
  if (!device.has_inet6 || inet6_setting(device, "disable_ipv6") != "0") return;
  if (device.mtu < least_inet6_mtu) return inet6_down(there, device);
  const bool has_own = std::ranges::any_of(
      device.inet6, [](const Address& address) { return is_loopback(address.local); });
  if (device.is(IFF_LOOPBACK) && !has_own) {  // init_loopback()
    Address own;
    own.local = own.peer = *IpAddress::parse("::1");
    own.length = 128;
    own.scope = RT_SCOPE_HOST;
    own.flags = IFA_F_PERMANENT;
    own.protocol = IFAPROT_KERNEL_LO;
    put_in(device, own);
    add_own(there, local_route(device, own.local));
  }
  for (Address& address : device.inet6) {  // addrconf_permanent_addr()
    add_prefix_route(there, device, address);
    if (std::exchange(address.lost_route, false)) add_host_routes(there, device, address);
  }
  revive_routes(there, Family::inet6, device.index);
  carrier_changed(there, device);
}

void inet6_down(Namespace& there, Device& device) {
  lose_routes(there, Family::inet6, device.index, Loss::of_link);
  inet6_gone(there, device, false);
}

/// addrconf_ifdown(): the addresses go without a word, so that routes keep them as their source.
void inet6_gone(Namespace& there, Device& device, bool for_good) {
  if (for_good) lose_routes(there, Family::inet6, device.index, Loss::for_good);
  const bool asked = there.settings.at("net/ipv6/conf/all/keep_addr_on_down").front() != '0' ||
                     inet6_setting(device, "keep_addr_on_down") != "0";
  const bool keeps = !for_good && asked && inet6_setting(device, "disable_ipv6") == "0";
  std::erase_if(device.inet6, [&](const Address& address) {
    return !keeps || is_link_local(address.local) || is_loopback(address.local);
  });
  for (Address& address : device.inet6) address.lost_route = true;
}

// ---- both families ------------------------------------------------------------------------------

void carrier_changed(Namespace& there, Device& device) {
  if (!device.has_inet6 || !device.is(IFF_UP) || !device.carrier || device.is(IFF_LOOPBACK)) return;
  // addrconf_add_mroute(), once the link is ready
  add_own(there, kernel_route(device, RTN_MULTICAST, *Prefix::parse("ff00::/8"), RT_TABLE_LOCAL,
                              prefix_metric));
}

/// rt6_mtu_change_route(): a route's own MTU is at most its link's, and goes up with it.
void follow_mtu(Namespace& there, Device& device) {
  std::string& known = device.settings["ipv6/conf"]["mtu"];
  const std::string before = std::exchange(known, std::to_string(device.mtu));
  for (Route& route : there.inet6.routes) {
    const auto mtu = route.metrics.find(RTAX_MTU);
    if (mtu == route.metrics.end() || route.nexthops.front().device != device.index) continue;
    if (mtu->second >= device.mtu || std::to_string(mtu->second) == before) {
      mtu->second = device.mtu;
    }
  }
}

/// NETDEV_CHANGEMTU in addrconf_notify(): a link too small for IPv6 loses all of it.
void mtu_changed(Namespace& there, Device& device) {
  const bool fits = device.mtu >= least_inet6_mtu;
  if (!fits && device.is(IFF_LOOPBACK)) return inet6_down(there, device);
  if (fits && device.has_inet6) return follow_mtu(there, device);
  if (fits == device.has_inet6) return;
  if (!fits) {
    inet6_gone(there, device, true);
    drop_inet6_settings(device);
    device.has_inet6 = false;
    return;
  }
  device.has_inet6 = true;
  make_inet6_settings(there, device);
  if (device.is(IFF_UP)) inet6_up(there, device);
}

}  // namespace plumbline::sim
