// What is special about each kind of link: drivers/net/{veth,ifb}.c, drivers/net/vxlan,
// net/bridge/br_netlink.c.

#include <arpa/inet.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>

#include <algorithm>
#include <cerrno>

#include "tests/sim/links.hpp"

namespace plumbline::sim {

namespace {

constexpr std::uint32_t nobody = UINT32_MAX;

bool is_multicast(const IpAddress& address) {
  const auto first = std::to_integer<unsigned>(address.bytes()[0]);
  return address.family() == Family::inet6 ? first == 0xff : first >> 4U == 0xe;
}

std::optional<IpAddress> endpoint(const Attributes& data, std::uint16_t inet, std::uint16_t inet6) {
  if (data.has(inet6)) return data.address(inet6);
  return data.address(inet);
}

void put_endpoint(wire::MessageBuilder& data, const std::optional<IpAddress>& address,
                  std::uint16_t inet, std::uint16_t inet6) {
  if (address) data.address(address->family() == Family::inet ? inet : inet6, *address);
}

/// The addresses a message gives; one of zeros stands for none.
void take_endpoints(Vxlan& vxlan, const Attributes& data) {
  const auto local = endpoint(data, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6);
  const auto remote = endpoint(data, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6);
  if (local) vxlan.local = local;
  if (remote) vxlan.remote = remote;
  for (auto* address : {&vxlan.local, &vxlan.remote}) {
    if (*address && **address == IpAddress::any((*address)->family())) address->reset();
  }
  if (const auto learning = data.u8(IFLA_VXLAN_LEARNING)) vxlan.learning = *learning != 0;
}

/// vxlan_config_validate()
void check(const Namespace& there, const Vxlan& vxlan) {
  if (vxlan.local && vxlan.remote && vxlan.local->family() != vxlan.remote->family()) {
    throw Refusal{EINVAL, "Local and remote address must be from the same family"};
  }
  if (vxlan.local && is_multicast(*vxlan.local)) {
    throw Refusal{EINVAL, "Local address cannot be multicast"};
  }
  if (vxlan.lower != 0 && !there.devices.contains(vxlan.lower)) {
    throw Refusal{ENODEV, "Invalid local interface, device not found"};
  }
  if (vxlan.lower == 0 && vxlan.remote && is_multicast(*vxlan.remote)) {
    throw Refusal{EINVAL, "Local interface required for multicast remote destination"};
  }
  const auto is_local = [](const std::optional<IpAddress>& it) { return it && is_link_local(*it); };
  if (vxlan.lower == 0 && (is_local(vxlan.local) || is_local(vxlan.remote))) {
    throw Refusal{EINVAL, "Local interface required for link-local local/remote addresses"};
  }
}

void make_vxlan(Namespace& there, Device& device, const Attributes& link, const Attributes& data) {
  Vxlan vxlan;
  vxlan.id = data.u32(IFLA_VXLAN_ID).value_or(0);
  vxlan.lower = static_cast<int>(data.u32(IFLA_VXLAN_LINK).value_or(0));
  if (const auto port = data.u16(IFLA_VXLAN_PORT)) vxlan.port = ntohs(*port);
  vxlan.ipv6 = data.has(IFLA_VXLAN_GROUP6) || data.has(IFLA_VXLAN_LOCAL6);
  take_endpoints(vxlan, data);
  check(there, vxlan);
  for (const auto& [index, other] : there.devices) {
    if (other.vxlan && other.vxlan->id == vxlan.id && other.vxlan->port == vxlan.port &&
        other.vxlan->ipv6 == vxlan.ipv6) {
      throw Refusal{EEXIST, "A VXLAN device with the specified VNI already exists"};
    }
  }
  if (vxlan.lower != 0) {
    const std::uint32_t below = there.devices.at(vxlan.lower).mtu;
    const std::uint32_t most = std::max(below, 68 + headroom(vxlan)) - headroom(vxlan);
    device.mtu = link.has(IFLA_MTU) ? std::min(device.mtu, most) : most;
  }
  device.vxlan = vxlan;
}

std::uint32_t bit(const br_boolopt_multi& options, unsigned option) {
  return options.optval >> option & 1U;
}

}  // namespace

std::uint32_t headroom(const Vxlan& vxlan) { return vxlan.ipv6 ? 70 : 50; }

void validate(const std::string& kind, const Attributes& link, const Attributes& info) {
  // tun_validate() in drivers/net/tun.c
  if (kind == "tun") throw Refusal{EOPNOTSUPP, "tun/tap creation via rtnetlink is not supported."};
  if (link.has(IFLA_ADDRESS)) {
    const auto mac = Mac::from_bytes(link.bytes(IFLA_ADDRESS));
    if (!mac)
      throw Refusal{EINVAL, kind == "vxlan" ? "Provided link layer address is not Ethernet" : ""};
    if (mac->is_multicast() || mac->is_zero()) {
      throw Refusal{EADDRNOTAVAIL,
                    kind == "vxlan" ? "Provided Ethernet address is not unicast" : ""};
    }
  }
  if (kind == "veth") {
    const auto mtu = link.u32(IFLA_MTU);
    if (mtu && (*mtu < 68 || *mtu > 65535)) throw Refusal{EINVAL, ""};
  }
  if (kind == "vxlan") {
    const auto mtu = link.u32(IFLA_MTU);
    if (mtu && (*mtu < 68 || *mtu > 65535)) {
      throw Refusal{EINVAL, "MTU must be between 68 and 65535"};
    }
    if (!info.has(IFLA_INFO_DATA)) {
      throw Refusal{EINVAL, "Required attributes not provided to perform the operation"};
    }
    const auto id = info.inside(IFLA_INFO_DATA).u32(IFLA_VXLAN_ID);
    if (id && *id >= 1U << 24U) throw Refusal{ERANGE, "VXLAN ID must be lower than 16777216"};
  }
}

void prepare(Namespace& there, Device& device, const Attributes& link, const Attributes& data) {
  if (device.kind == "bridge") {
    device.bridge.emplace();
    change_bridge(device, data);
  }
  if (device.kind == "vxlan") make_vxlan(there, device, link, data);
}

/// br_changelink(), in its order: the delay is judged by whether STP is on before the message.
void change_bridge(Device& device, const Attributes& data) {
  Bridge& bridge = *device.bridge;
  if (const auto delay = data.u32(IFLA_BR_FORWARD_DELAY)) {
    // br_set_forward_delay() in net/bridge/br_stp.c
    if (bridge.stp && (*delay < 200 || *delay > 3000)) throw Refusal{ERANGE, ""};
    bridge.forward_delay = *delay;
  }
  if (const auto time = data.u32(IFLA_BR_AGEING_TIME)) bridge.ageing_time = *time;
  if (const auto stp = data.u32(IFLA_BR_STP_STATE)) {
    bridge.stp = *stp != 0;
    // br_stp_start() puts a delay that STP cannot have within its bounds.
    if (bridge.stp) bridge.forward_delay = std::clamp(bridge.forward_delay, 200U, 3000U);
  }
  if (const auto on = data.u8(IFLA_BR_VLAN_FILTERING)) bridge.vlan_filtering = *on != 0;
  if (const auto on = data.u8(IFLA_BR_MCAST_SNOOPING)) bridge.multicast_snooping = *on != 0;
  if (const auto options = data.get<br_boolopt_multi>(IFLA_BR_MULTI_BOOLOPT)) {
    if ((options->optmask >> BR_BOOLOPT_NO_LL_LEARN & 1U) != 0) {
      bridge.no_linklocal_learn = bit(*options, BR_BOOLOPT_NO_LL_LEARN) != 0;
    }
  }
}

/// br_setport() in net/bridge/br_netlink.c
void change_port(Device& device, const Attributes& data) {
  Port& port = *device.port;
  if (const auto on = data.u8(IFLA_BRPORT_MODE)) port.hairpin = *on != 0;
  if (const auto on = data.u8(IFLA_BRPORT_LEARNING)) port.learning = *on != 0;
  if (const auto on = data.u8(IFLA_BRPORT_ISOLATED)) port.isolated = *on != 0;
  if (const auto cost = data.u32(IFLA_BRPORT_COST)) {
    if (*cost < 1 || *cost > 65535) throw Refusal{ERANGE, ""};
    port.cost = *cost;
  }
  if (const auto priority = data.u16(IFLA_BRPORT_PRIORITY)) {
    if (*priority > 63) throw Refusal{ERANGE, ""};
    port.priority = *priority;
  }
  if (const auto mask = data.u16(IFLA_BRPORT_GROUP_FWD_MASK)) {
    if ((*mask & 2U) != 0) throw Refusal{EINVAL, ""};  // BR_GROUPFWD_MACPAUSE
    port.group_fwd_mask = *mask;
  }
}

/// vxlan_changelink()
void change_vxlan(Namespace& there, Device& device, const Attributes& data) {
  Vxlan vxlan = *device.vxlan;
  if (const auto id = data.u32(IFLA_VXLAN_ID); id && *id != vxlan.id) {
    throw Refusal{EOPNOTSUPP, "Cannot change VNI"};
  }
  if (data.has(IFLA_VXLAN_LINK)) vxlan.lower = static_cast<int>(*data.u32(IFLA_VXLAN_LINK));
  const bool other_family = vxlan.ipv6 ? data.has(IFLA_VXLAN_LOCAL) || data.has(IFLA_VXLAN_GROUP)
                                       : data.has(IFLA_VXLAN_LOCAL6) || data.has(IFLA_VXLAN_GROUP6);
  if (other_family) throw Refusal{EOPNOTSUPP, "New local address family does not match old"};
  take_endpoints(vxlan, data);
  if (data.has(IFLA_VXLAN_PORT)) throw Refusal{EOPNOTSUPP, "Cannot change port"};
  check(there, vxlan);
  device.vxlan = vxlan;
  device.mtu = std::min(device.mtu, device.most_mtu);  // vxlan_config_apply()
}

namespace {

void put_bridge(wire::MessageBuilder& data, const Bridge& bridge) {
  data.u32(IFLA_BR_FORWARD_DELAY, bridge.forward_delay);
  data.u32(IFLA_BR_AGEING_TIME, bridge.ageing_time);
  data.u32(IFLA_BR_STP_STATE, bridge.stp ? 1 : 0);
  data.u8(IFLA_BR_VLAN_FILTERING, bridge.vlan_filtering ? 1 : 0);
  data.u8(IFLA_BR_MCAST_SNOOPING, bridge.multicast_snooping ? 1 : 0);
  constexpr std::uint32_t known = 1U << BR_BOOLOPT_NO_LL_LEARN;
  const br_boolopt_multi options{bridge.no_linklocal_learn ? known : 0, known};
  data.bytes(IFLA_BR_MULTI_BOOLOPT, std::as_bytes(std::span(&options, 1)));
}

void put_port(wire::MessageBuilder& data, const Port& port) {
  data.u8(IFLA_BRPORT_ISOLATED, port.isolated ? 1 : 0);
  data.u8(IFLA_BRPORT_LEARNING, port.learning ? 1 : 0);
  data.u8(IFLA_BRPORT_MODE, port.hairpin ? 1 : 0);
  data.u32(IFLA_BRPORT_COST, port.cost);
  data.u16(IFLA_BRPORT_PRIORITY, port.priority);
  data.u16(IFLA_BRPORT_GROUP_FWD_MASK, port.group_fwd_mask);
}

/// tun_fill_info() in drivers/net/tun.c
void put_tun(wire::MessageBuilder& data, const Tun& tun) {
  data.u8(IFLA_TUN_TYPE, IFF_TAP);
  if (tun.owner && *tun.owner != nobody) data.u32(IFLA_TUN_OWNER, *tun.owner);
  if (tun.group && *tun.group != nobody) data.u32(IFLA_TUN_GROUP, *tun.group);
  data.u8(IFLA_TUN_PI, 0).u8(IFLA_TUN_VNET_HDR, tun.vnet_header ? 1 : 0).u8(IFLA_TUN_PERSIST, 1);
  data.u8(IFLA_TUN_MULTI_QUEUE, tun.multi_queue ? 1 : 0);
  if (tun.multi_queue) {
    data.u32(IFLA_TUN_NUM_QUEUES, tun.held ? 1 : 0).u32(IFLA_TUN_NUM_DISABLED_QUEUES, 0);
  }
}

void put_vxlan(wire::MessageBuilder& data, const Vxlan& vxlan) {
  data.u32(IFLA_VXLAN_ID, vxlan.id);
  put_endpoint(data, vxlan.remote, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6);
  if (vxlan.lower != 0) data.u32(IFLA_VXLAN_LINK, static_cast<std::uint32_t>(vxlan.lower));
  put_endpoint(data, vxlan.local, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6);
  data.u8(IFLA_VXLAN_LEARNING, vxlan.learning ? 1 : 0).u16(IFLA_VXLAN_PORT, htons(vxlan.port));
}

}  // namespace

void put_kind(wire::MessageBuilder& message, const Device& device) {
  if (device.kind.empty() && !device.port) return;
  message.nest(IFLA_LINKINFO, [&](wire::MessageBuilder& info) {
    if (!device.kind.empty()) info.string(IFLA_INFO_KIND, device.kind);
    if (device.bridge || device.tun || device.vxlan) {
      info.nest(IFLA_INFO_DATA, [&](wire::MessageBuilder& data) {
        if (device.bridge) put_bridge(data, *device.bridge);
        if (device.tun) put_tun(data, *device.tun);
        if (device.vxlan) put_vxlan(data, *device.vxlan);
      });
    }
    if (!device.port) return;
    info.string(IFLA_INFO_SLAVE_KIND, "bridge");
    info.nest(IFLA_INFO_SLAVE_DATA,
              [&](wire::MessageBuilder& data) { put_port(data, *device.port); });
  });
}

}  // namespace plumbline::sim
