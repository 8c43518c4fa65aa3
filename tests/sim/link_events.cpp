// What becomes of a link, and whom Linux tells of it: net/core/dev.c and its chain of notifiers.

#include <linux/if.h>

#include <algorithm>
#include <cerrno>

#include "tests/sim/addresses.hpp"
#include "tests/sim/links.hpp"
#include "tests/sim/neighbours.hpp"
#include "tests/sim/rules.hpp"
#include "tests/sim/sysctls.hpp"

namespace plumbline::sim {

namespace {

/// veth_open() and veth_close(): an end has a carrier while both are up.
void follow_peer(Namespace& there, Device& device) {
  Device* peer = device.peer != 0 ? there.device(device.peer) : nullptr;
  if (peer == nullptr) return;
  const bool both = device.is(IFF_UP) && peer->is(IFF_UP);
  for (Device* end : {&device, peer}) {
    if (end->carrier == both) continue;
    end->carrier = both;
    carrier_changed(there, *end);
  }
}

std::vector<int> ports_of(const Namespace& there, int bridge) {
  std::vector<int> ports;
  for (const auto& [index, device] : there.devices) {
    if (device.master == bridge) ports.push_back(index);
  }
  return ports;
}

/// VXLANs go with the link below them (vxlan_handle_lowerdev_unregister()).
std::vector<int> above(const Namespace& there, int lower) {
  std::vector<int> links;
  for (const auto& [index, device] : there.devices) {
    if (device.vxlan && device.vxlan->lower == lower) links.push_back(index);
  }
  return links;
}

/// br_del_if()
void leave(Namespace& there, Device& port) {
  const int bridge = port.master;
  port.master = 0;
  port.port.reset();
  if (bridge != 0 && there.device(bridge) != nullptr) follow_ports(there, bridge, true);
}

/// Whether it says that it has 10 Gbit/s, as veths do and, since Linux 6.13, TAPs: others say what
/// is below them says (br_initial_port_cost()).
bool is_fast(const Namespace& there, int link) {
  const Device& device = there.devices.at(link);
  if (device.kind == "veth" || device.kind == "tun") return true;
  if (device.vxlan) {
    return there.devices.contains(device.vxlan->lower) && is_fast(there, device.vxlan->lower);
  }
  return std::ranges::any_of(ports_of(there, link), [&](int port) { return is_fast(there, port); });
}

/// Whether frames that the link sends may leave by the other (netdev_has_upper_dev()).
bool stands_on(const Namespace& there, int link, int other) {
  std::vector<int> below = ports_of(there, link);
  const auto& vxlan = there.devices.at(link).vxlan;
  if (vxlan && there.devices.contains(vxlan->lower)) below.push_back(vxlan->lower);
  return std::ranges::any_of(below,
                             [&](int it) { return it == other || stands_on(there, it, other); });
}

bool is_ethernet_address(const Mac& mac) { return !mac.is_multicast() && !mac.is_zero(); }

/// br_add_if() in net/bridge/br_if.c
void join(Namespace& there, Device& device, Device& bridge) {
  if (device.is(IFF_LOOPBACK) || !is_ethernet_address(device.mac)) throw Refusal{EINVAL, ""};
  if (device.bridge) throw Refusal{ELOOP, "Can not enslave a bridge to a bridge"};
  if (stands_on(there, device.index, bridge.index)) throw Refusal{EBUSY, ""};
  device.master = bridge.index;
  device.port.emplace();
  if (is_fast(there, device.index)) device.port->cost = 2;
  follow_ports(there, bridge.index, true);
}

}  // namespace

Device& register_device(Namespace& there, Device device, int index) {
  if (index == 0) {
    index = there.last_index + 1;
    while (there.devices.contains(index)) ++index;
    there.last_index = index;
  }
  device.index = index;
  Device& made = there.devices.insert_or_assign(index, std::move(device)).first->second;
  made.has_inet6 = made.mtu >= least_inet6_mtu;
  make_settings(there, made);
  attach_rules(there, made);
  return made;
}

void unregister_device(Namespace& there, int index) {
  Device* device = there.device(index);
  if (device == nullptr) return;
  const int peer = device->peer;
  // Both ends of a pair go down before either is gone (unregister_netdevice_many()).
  for (const int end : {index, peer}) {
    if (Device* found = end != 0 ? there.device(end) : nullptr; found != nullptr) {
      found->peer = 0;
      close_device(there, *found);
    }
  }
  if (device->bridge) {
    for (const int port : ports_of(there, index)) leave(there, there.devices.at(port));
  }
  if (device->master != 0) leave(there, *device);
  inet_gone(there, *device);
  inet6_gone(there, *device, true);
  detach_rules(there, index);
  there.devices.erase(index);
  for (const int vxlan : above(there, index)) unregister_device(there, vxlan);
  if (peer != 0) unregister_device(there, peer);
}

void open_device(Namespace& there, Device& device) {
  if (device.kind == "veth" && there.device(device.peer) == nullptr) throw Refusal{ENOTCONN, ""};
  device.flags |= IFF_UP;
  follow_peer(there, device);
  inet_up(there, device);
  inet6_up(there, device);
}

void close_device(Namespace& there, Device& device) {
  if (!device.is(IFF_UP)) return;
  device.flags &= ~static_cast<unsigned>(IFF_UP);
  follow_peer(there, device);
  forget_neighbours(device);
  inet_down(there, device);
  inet6_down(there, device);
}

void set_mtu(Namespace& there, Device& device, std::uint32_t mtu) {
  if (mtu == device.mtu) return;
  if (mtu < device.least_mtu) throw Refusal{EINVAL, "mtu less than device minimum"};
  if (device.most_mtu != 0 && mtu > device.most_mtu) {
    throw Refusal{EINVAL, "mtu greater than device maximum"};
  }
  if (device.vxlan && device.vxlan->lower != 0) {  // vxlan_change_mtu()
    const std::uint32_t most = there.devices.at(device.vxlan->lower).mtu - headroom(*device.vxlan);
    if (mtu > most) throw Refusal{EINVAL, ""};
  }
  if (device.bridge) device.bridge->own_mtu = true;
  device.mtu = mtu;
  mtu_changed(there, device);
  if (device.master != 0) follow_ports(there, device.master, true);
}

void set_mac(Namespace& there, Device& device, std::span<const std::byte> bytes) {
  const Mac mac = *Mac::from_bytes(bytes);
  // ifb_netdev_ops in drivers/net/ifb.c has no way to set it.
  if (device.kind == "ifb") throw Refusal{EOPNOTSUPP, ""};
  if (mac != device.mac && !is_ethernet_address(mac)) throw Refusal{EADDRNOTAVAIL, ""};
  if (mac != device.mac) flush_neighbours(device);
  device.mac = mac;
  device.chose_mac = true;
  if (device.master != 0) follow_ports(there, device.master, false);
}

void set_master(Namespace& there, Device& device, int master) {
  if (device.master != 0) {
    if (device.master == master) return;
    leave(there, device);
  }
  if (master == 0) return;
  Device* bridge = there.device(master);
  if (bridge == nullptr) throw Refusal{EINVAL, ""};
  if (!bridge->bridge) {
    throw Refusal{EOPNOTSUPP, ""};
  }
  join(there, device, *bridge);
}

/// br_stp_recalculate_bridge_id() and br_mtu_auto_adjust()
void follow_ports(Namespace& there, int index, bool also_mtu) {
  Device& bridge = there.devices.at(index);
  const std::vector<int> ports = ports_of(there, index);
  if (!bridge.chose_mac) {
    Mac least;
    for (const int port : ports) {
      const Mac& mac = there.devices.at(port).mac;
      if (least.is_zero() || mac < least) least = mac;
    }
    if (least != bridge.mac) flush_neighbours(bridge);
    bridge.mac = least;
  }
  if (!also_mtu || bridge.bridge->own_mtu) return;
  std::uint32_t mtu = 1500;
  bool first = true;
  for (const int port : ports) {
    const std::uint32_t of_port = there.devices.at(port).mtu;
    mtu = first ? of_port : std::min(mtu, of_port);
    first = false;
  }
  if (mtu == bridge.mtu || mtu > bridge.most_mtu) return;
  bridge.mtu = mtu;
  mtu_changed(there, bridge);
}

}  // namespace plumbline::sim
