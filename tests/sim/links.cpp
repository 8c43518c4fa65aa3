// RTM_NEWLINK, RTM_SETLINK, RTM_DELLINK (net/core/rtnetlink.c).

#include "tests/sim/links.hpp"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>

#include "tests/sim/rules.hpp"

namespace plumbline::sim {

namespace {

/// Kinds that can be made by a message, in which their kernel modules are.
bool is_known(const std::string& kind) {
  return kind == "bridge" || kind == "veth" || kind == "ifb" || kind == "vxlan" || kind == "tun";
}

void check_string(const Attributes& link, std::uint16_t type, std::size_t most) {
  const auto bytes = link.bytes(type);
  std::size_t size = bytes.size();
  if (size > 0 && bytes.back() == std::byte{0}) --size;
  if (link.has(type) && (bytes.empty() || size > most)) {
    throw Refusal{ERANGE, "Attribute failed policy validation"};
  }
}

/// ifla_policy
void check_policy(const Attributes& link) {
  check_string(link, IFLA_IFNAME, IFNAMSIZ - 1);
  check_string(link, IFLA_ALT_IFNAME, ALTIFNAMSIZ - 1);
  if (link.bytes(IFLA_IFALIAS).size() > IFALIASZ - 1) {
    throw Refusal{ERANGE, "Attribute failed policy validation"};
  }
  if (link.bytes(IFLA_ADDRESS).size() > 32) {
    throw Refusal{ERANGE, "Attribute failed policy validation"};
  }
  for (const std::uint16_t number : {IFLA_MTU, IFLA_MASTER, IFLA_GROUP, IFLA_TXQLEN, IFLA_LINK}) {
    static_cast<void>(link.u32(number));
  }
}

/// validate_linkmsg()
void check_addresses(const Attributes& link) {
  if (link.has(IFLA_ADDRESS) && link.bytes(IFLA_ADDRESS).size() < 6) {
    throw Refusal{EINVAL, ""};
  }
}

Device* find(Namespace& there, const ifinfomsg& header, const Attributes& link) {
  if (header.ifi_index > 0) return there.device(header.ifi_index);
  if (link.has(IFLA_IFNAME)) return there.device(link.string(IFLA_IFNAME));
  if (link.has(IFLA_ALT_IFNAME)) return there.device(link.string(IFLA_ALT_IFNAME));
  return nullptr;
}

/// The flags a message can change besides IFF_UP (__dev_change_flags() in net/core/dev.c).
constexpr unsigned settable = IFF_DEBUG | IFF_NOTRAILERS | IFF_NOARP | IFF_DYNAMIC | IFF_MULTICAST |
                              IFF_PORTSEL | IFF_AUTOMEDIA;

void change_flags(Namespace& there, Device& device, const ifinfomsg& header) {
  if (header.ifi_flags == 0 && header.ifi_change == 0) return;
  unsigned flags = header.ifi_flags;
  if (header.ifi_change != 0) {
    flags = (flags & header.ifi_change) | (device.flags & ~header.ifi_change);
  }
  device.flags = (flags & settable) | (device.flags & ~settable);
  const bool up = (flags & IFF_UP) != 0;
  if (up == device.is(IFF_UP)) return;
  if (up) {
    open_device(there, device);
  } else {
    close_device(there, device);
  }
}

void rename(Namespace& there, Device& device, const std::string& name) {
  if (name == device.name) return;
  check_name(name);
  const Device* other = there.device(name);
  if (other != nullptr) throw Refusal{EEXIST, ""};
  device.name = name;
  detach_rules(there, device.index);
  attach_rules(there, device);
}

/// do_setlink(): whatever comes before a refusal stays.
void change(Namespace& there, Device& device, const ifinfomsg& header, const Attributes& link) {
  check_addresses(link);
  if (link.has(IFLA_ADDRESS)) set_mac(there, device, link.bytes(IFLA_ADDRESS).first(6));
  if (const auto mtu = link.u32(IFLA_MTU)) set_mtu(there, device, *mtu);
  if (const auto group = link.u32(IFLA_GROUP)) device.group = *group;
  const std::string name = link.string(IFLA_IFNAME);
  if (header.ifi_index > 0 && !name.empty()) rename(there, device, name);
  if (link.has(IFLA_IFALIAS)) {
    const auto text = link.bytes(IFLA_IFALIAS);
    device.alias.assign(reinterpret_cast<const char*>(text.data()), text.size());
    device.alias = device.alias.c_str();
  }
  change_flags(there, device, header);
  if (const auto master = link.u32(IFLA_MASTER)) {
    set_master(there, device, static_cast<int>(*master));
  }
  if (const auto length = link.u32(IFLA_TXQLEN)) device.tx_queue_length = *length;
}

/// rtnl_changelink()
void change_existing(Namespace& there, Device& device, const wire::Message& message,
                     const Attributes& link, const Attributes& info) {
  if ((message.flags() & NLM_F_EXCL) != 0) throw Refusal{EEXIST, ""};
  if ((message.flags() & NLM_F_REPLACE) != 0) throw Refusal{EOPNOTSUPP, ""};
  if (info.has(IFLA_INFO_DATA)) {
    const Attributes data = info.inside(IFLA_INFO_DATA);
    const std::string kind = info.string(IFLA_INFO_KIND);
    if (kind != device.kind) throw Refusal{EOPNOTSUPP, ""};
    if (kind == "bridge") {
      change_bridge(device, data);
    } else if (kind == "vxlan") {
      change_vxlan(there, device, data);
    } else {
      throw Refusal{EOPNOTSUPP, ""};
    }
  }
  if (info.has(IFLA_INFO_SLAVE_DATA)) {
    if (!device.port) throw Refusal{EOPNOTSUPP, ""};
    change_port(device, info.inside(IFLA_INFO_SLAVE_DATA));
  }
  change(there, device, message.fixed<ifinfomsg>(), link);
}

/// rtnl_create_link()
Device blank(const std::string& kind, const std::string& name, const Attributes& link) {
  Device device;
  device.kind = kind;
  device.name = name;
  device.flags = IFF_BROADCAST | IFF_MULTICAST;
  if (kind == "ifb") {
    device.flags = IFF_BROADCAST | IFF_NOARP;
    device.tx_queue_length = 32;  // TX_Q_LIMIT in drivers/net/ifb.c
    device.least_mtu = device.most_mtu = 0;
  }
  if (const auto mtu = link.u32(IFLA_MTU)) {
    if (*mtu < device.least_mtu) throw Refusal{EINVAL, "mtu less than device minimum"};
    if (device.most_mtu != 0 && *mtu > device.most_mtu) {
      throw Refusal{EINVAL, "mtu greater than device maximum"};
    }
    device.mtu = *mtu;
  }
  if (link.has(IFLA_ADDRESS)) {
    device.mac = *Mac::from_bytes(link.bytes(IFLA_ADDRESS).first(6));
    device.chose_mac = true;
  }
  if (const auto length = link.u32(IFLA_TXQLEN)) device.tx_queue_length = *length;
  if (const auto group = link.u32(IFLA_GROUP)) device.group = *group;
  return device;
}

void give_mac(const Namespace& there, Device& device) {
  if (!device.chose_mac) device.mac = there.new_mac(device.name);
}

/// What is said of the other end, behind a header of its own.
Attributes peer_of(const Attributes& data) {
  const auto bytes = data.bytes(VETH_INFO_PEER);
  if (bytes.size() <= sizeof(ifinfomsg)) return {};
  return Attributes(bytes.subspan(sizeof(ifinfomsg)));
}

/// veth_newlink() in drivers/net/veth.c: the peer is registered first. Gives its index.
int make_peer(Namespace& there, const std::string& end, const Attributes& data) {
  const Attributes link = peer_of(data);
  if (link.has(IFLA_NET_NS_FD)) throw Refusal{EOPNOTSUPP, "sim: there is no other namespace"};
  std::string name = link.string(IFLA_IFNAME);
  for (int number = 0; name.empty(); ++number) {
    const std::string free = "veth" + std::to_string(number);
    if (there.device(free) == nullptr && free != end) name = free;
  }
  check_name(name);
  Device peer = blank("veth", name, link);
  if (there.device(name) != nullptr) throw Refusal{EEXIST, ""};
  give_mac(there, peer);
  peer.carrier = false;
  return register_device(there, std::move(peer)).index;
}

/// rtnl_newlink_create()
void make(Namespace& there, const wire::Message& message, const Attributes& link,
          const Attributes& info) {
  const auto header = message.fixed<ifinfomsg>();
  const std::string kind = info.string(IFLA_INFO_KIND);
  if (!is_known(kind)) throw Refusal{EOPNOTSUPP, "Unknown device type"};
  std::string name = link.string(IFLA_IFNAME);
  for (int number = 0; name.empty(); ++number) {
    const std::string free = kind + std::to_string(number);
    if (there.device(free) == nullptr) name = free;
  }
  check_name(name);
  const Attributes data = info.inside(IFLA_INFO_DATA);
  Device device = blank(kind, name, link);
  int peer = 0;
  if (kind == "veth") {
    peer = make_peer(there, name, data);
    device.carrier = false;
    device.peer = peer;
  }
  try {
    if (there.device(name) != nullptr) throw Refusal{EEXIST, ""};
    if (header.ifi_index > 0 && there.device(header.ifi_index) != nullptr) {
      throw Refusal{EBUSY, ""};
    }
    give_mac(there, device);
    prepare(there, device, link, data);
  } catch (const Refusal&) {
    if (peer != 0) unregister_device(there, peer);
    throw;
  }
  Device& made = register_device(there, std::move(device), header.ifi_index);
  if (peer != 0) there.devices.at(peer).peer = made.index;
  try {
    change_flags(there, made, header);
    if (const auto master = link.u32(IFLA_MASTER)) {
      set_master(there, made, static_cast<int>(*master));
    }
  } catch (const Refusal&) {
    unregister_device(there, made.index);
    throw;
  }
}

}  // namespace

void new_link(Namespace& there, const wire::Message& message) {
  const auto header = message.fixed<ifinfomsg>();
  const auto link = Attributes::behind<ifinfomsg>(message);
  check_policy(link);
  const Attributes info = link.inside(IFLA_LINKINFO);
  const std::string kind = info.string(IFLA_INFO_KIND);
  if (is_known(kind)) validate(kind, link, info);
  if (kind == "veth") {
    const Attributes peer = peer_of(info.inside(IFLA_INFO_DATA));
    check_policy(peer);
    validate(kind, peer, {});
  }
  if (header.ifi_index < 0) throw Refusal{EINVAL, "ifindex can't be negative"};
  if (Device* device = find(there, header, link)) {
    return change_existing(there, *device, message, link, info);
  }
  if ((message.flags() & NLM_F_CREATE) == 0) {
    const auto group = link.u32(IFLA_GROUP);
    if (header.ifi_index != 0 || !group) throw Refusal{ENODEV, ""};
    for (auto& [index, device] : there.devices) {
      if (device.group == *group) change(there, device, header, link);
    }
    return;
  }
  make(there, message, link, info);
}

void set_link(Namespace& there, const wire::Message& message) {
  const auto header = message.fixed<ifinfomsg>();
  const auto link = Attributes::behind<ifinfomsg>(message);
  check_policy(link);
  const bool named = header.ifi_index > 0 || link.has(IFLA_IFNAME) || link.has(IFLA_ALT_IFNAME);
  if (!named) throw Refusal{EINVAL, ""};
  Device* device = find(there, header, link);
  if (device == nullptr) throw Refusal{ENODEV, ""};
  change(there, *device, header, link);
}

void remove_link(Namespace& there, const wire::Message& message) {
  const auto header = message.fixed<ifinfomsg>();
  const auto link = Attributes::behind<ifinfomsg>(message);
  check_policy(link);
  const auto can_go = [](const Device& device) { return !device.kind.empty(); };
  const bool named = header.ifi_index > 0 || link.has(IFLA_IFNAME) || link.has(IFLA_ALT_IFNAME);
  if (named) {
    const Device* device = find(there, header, link);
    if (device == nullptr) throw Refusal{ENODEV, ""};
    if (!can_go(*device)) throw Refusal{EOPNOTSUPP, ""};
    return unregister_device(there, device->index);
  }
  const auto group = link.u32(IFLA_GROUP);
  if (!group) throw Refusal{EINVAL, ""};
  if (*group == 0) throw Refusal{EPERM, ""};  // rtnl_group_dellink()
  std::vector<int> members;
  for (const auto& [index, device] : there.devices) {
    if (device.group != *group) continue;
    if (!can_go(device)) throw Refusal{EOPNOTSUPP, ""};
    members.push_back(index);
  }
  if (members.empty()) throw Refusal{ENODEV, ""};
  for (const int member : members) {
    if (there.device(member) != nullptr) unregister_device(there, member);
  }
}

void change_altnames(Namespace& there, const wire::Message& message) {
  const auto header = message.fixed<ifinfomsg>();
  const auto link = Attributes::behind<ifinfomsg>(message);
  check_policy(link);
  Device* device = find(there, header, link);
  if (device == nullptr) throw Refusal{ENODEV, ""};
  wire::for_each_attribute(link.bytes(IFLA_PROP_LIST), [&](const wire::Attribute& property) {
    if (property.type() != IFLA_ALT_IFNAME) return;
    const std::string name(property.string());
    if (message.type() == RTM_DELLINKPROP) {
      if (std::erase(device->altnames, name) == 0) throw Refusal{ENOENT, ""};
      return;
    }
    if (there.device(name) != nullptr) throw Refusal{EEXIST, ""};
    device->altnames.push_back(name);
  });
}

}  // namespace plumbline::sim
