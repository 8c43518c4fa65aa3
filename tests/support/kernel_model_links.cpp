// Links of the model, and what goes with them.

#include <algorithm>
#include <cstdio>

#include "tests/support/model_state.hpp"

namespace plumbline::testing {

namespace {

template <class T>
void set(std::optional<T>& value, const std::optional<T>& want) {
  if (want) value = want;
}

/// A setting that every link has from its making on.
Sysctl rp_filter(const IfName& link) {
  return {"net/ipv4/conf/" + format(link) + "/rp_filter", "0"};
}

}  // namespace

Link* KernelModel::link(const IfName& name) { return find<Link>(state_, Link::Key{name}); }

void KernelModel::add_physical(const std::string& name) {
  Link link;
  link.name = *IfName::parse(name);
  link.kind = LinkKind::tap;
  if (!make(link).empty()) return;
  Link* made = this->link(link.name);
  made->kind = LinkKind::physical;
  made->tap.reset();
  made->up = true;
}

std::string KernelModel::make(const Link& want) {
  const bool exists = link(want.name) != nullptr;
  if (want.kind == LinkKind::physical) return "EINVAL: a physical link is made by nobody";
  if (makes_the_pair(want) == exists) return "EEXIST or ENODEV: " + format(want.name);
  Link made;
  made.name = want.name;
  made.kind = want.kind;
  made.marked = want.marked;
  made.up = false;
  made.mtu = 1500;
  char mac[18];
  std::snprintf(mac, sizeof mac, "02:00:00:00:%02x:%02x", macs_ >> 8U & 0xffU, macs_ & 0xffU);
  ++macs_;
  made.mac = Mac::parse(mac);
  made.tx_queue_length = 1000;
  made.alias = "";
  made.carrier = false;
  made.promote_secondaries = false;
  made.has_qdisc = false;
  if (want.kind == LinkKind::bridge)
    made.bridge = BridgeOptions{false, 1500, 30000, false, true, false};
  if (want.kind == LinkKind::vxlan) {
    for (const Link& other : state_.of<Link>()) {
      if (exclude_each_other(want, other)) return "EEXIST: the identifier of " + format(other.name);
    }
    if (want.vxlan->device && link(*want.vxlan->device) == nullptr) return "ENODEV: the device";
    made.vxlan = want.vxlan;
    if (!made.vxlan->port) made.vxlan->port = default_vxlan_port;
    if (!made.vxlan->learning) made.vxlan->learning = true;
  }
  if (want.kind == LinkKind::vlan) {
    for (const Link& other : state_.of<Link>()) {
      if (exclude_each_other(want, other)) return "EEXIST: the VLAN is " + format(other.name);
    }
    const Link* device = link(want.device.value_or(IfName()));
    if (device == nullptr) return "ENODEV: the device";
    constexpr std::size_t loose_binding = 4;  // in the order of src/kinds/link/vlan.cpp
    const bool loose = want.options.at(loose_binding) == 1U;
    if (want.up == true && device->up != true && !loose) return "ENETDOWN: the device";
    made.device = want.device;
    made.options = {0x8100, 1, 1, 0, 0, 0, 0};
    for (std::size_t i = 0; i < made.options.size(); ++i) set(made.options[i], want.options.at(i));
  }
  if (want.kind == LinkKind::tap) made.tap = TapOptions{~0U, ~0U, false, false};
  if (want.kind == LinkKind::veth) {
    made.veth = want.veth;
    if (exists) {
      if (link(want.name)->kind != LinkKind::veth) return "EEXIST: " + format(want.name);
      made.mac = link(want.name)->mac;
      std::erase_if(state_.of<Link>(), [&](const Link& link) { return link.name == want.name; });
    } else if (want.veth && want.veth->peer) {
      if (link(*want.veth->peer) != nullptr) return "EEXIST: " + format(*want.veth->peer);
      Link peer = made;
      peer.name = *want.veth->peer;
      peer.veth->peer = want.name;
      peer.alias.reset();
      insert(state_, peer);
    }
  }
  Link configured = made;
  const std::string refused = configure(configured, want);
  if (!refused.empty()) return refused;
  insert(state_, configured);
  return change(rp_filter(want.name), rp_filter(want.name));
}

std::string KernelModel::configure(Link& link, const Link& want) {
  set(link.up, want.up);
  set(link.mtu, want.mtu);
  set(link.mac, want.mac);
  set(link.tx_queue_length, want.tx_queue_length);
  set(link.alias, want.alias);
  link.assignment = want.assignment;
  link.marked = want.marked;
  if (want.master != link.master) {
    link.master = want.master;
    link.port.reset();
    if (want.master) {
      Link* bridge = this->link(*want.master);
      if (bridge == nullptr || bridge->kind != LinkKind::bridge) return "ENODEV: the master";
      link.port = PortSettings{false, true, false, 100, 32, 0};
    }
  }
  if (want.bridge && link.bridge) {
    set(link.bridge->stp, want.bridge->stp);
    set(link.bridge->forward_delay, want.bridge->forward_delay);
    set(link.bridge->ageing_time, want.bridge->ageing_time);
    set(link.bridge->vlan_filtering, want.bridge->vlan_filtering);
    set(link.bridge->multicast_snooping, want.bridge->multicast_snooping);
    set(link.bridge->no_linklocal_learn, want.bridge->no_linklocal_learn);
  }
  if (want.vxlan && link.vxlan) {
    link.vxlan->local = want.vxlan->local;
    link.vxlan->remote = want.vxlan->remote;
    set(link.vxlan->learning, want.vxlan->learning);
  }
  if (want.tap && link.tap) {
    set(link.tap->owner, want.tap->owner);
    set(link.tap->group, want.tap->group);
  }
  if (want.port) {
    if (!link.port) return "EOPNOTSUPP: not a port";
    set(link.port->isolated, want.port->isolated);
    set(link.port->learning, want.port->learning);
    set(link.port->hairpin, want.port->hairpin);
    set(link.port->cost, want.port->cost);
    set(link.port->priority, want.port->priority);
    set(link.port->group_fwd_mask, want.port->group_fwd_mask);
  }
  return {};
}

std::string KernelModel::change(const Link& before, const Link& after) {
  Link* there = link(before.name);
  if (there == nullptr) return "ENODEV: " + format(before.name);
  if (there->kind != after.kind) return "EINVAL: another kind";
  if (after.kind == LinkKind::ifb && after.mac && there->mac != after.mac) {
    return "EOPNOTSUPP: the MAC of an IFB";
  }
  if (after.vxlan &&
      (there->vxlan->id != after.vxlan->id || there->vxlan->port != after.vxlan->port ||
       there->vxlan->device != after.vxlan->device)) {
    return "EOPNOTSUPP: what a VXLAN is made with";
  }
  Link configured = *there;
  const std::string refused = configure(configured, after);
  if (!refused.empty()) return refused;
  const bool was_up = there->up == true;
  const bool isolates = after.port && after.port->isolated == true;
  const bool shuts =
      was_up && (configured.up != true || (there->master != configured.master && isolates));
  const bool small = *there->mtu >= 1280 && *configured.mtu < 1280;
  *there = configured;
  if (shuts) {
    there->up = false;
    shut(before.name);
    link(before.name)->up = configured.up;
  }
  if (small) drop_ipv6(before.name, true);
  return {};
}

std::string KernelModel::destroy(const Link& link) {
  if (this->link(link.name) == nullptr) return "ENODEV: " + format(link.name);
  if (link.kind == LinkKind::physical) return "EOPNOTSUPP: a physical link is removed by nobody";
  if (!makes_the_pair(link)) return {};
  const std::optional<IfName> peer = link.veth ? link.veth->peer : std::nullopt;
  unregister(link.name);
  if (peer && this->link(*peer) != nullptr) unregister(*peer);
  return {};
}

// ---- tunnels ------------------------------------------------------------------------------------

std::string KernelModel::make(const WireGuard& device) {
  const Link* dev = link(device.name);
  if (dev == nullptr) return "ENODEV: " + format(device.name);
  if (dev->kind != LinkKind::wireguard) return "EOPNOTSUPP: " + format(device.name);
  return insert(state_, device);
}

std::string KernelModel::change(const WireGuard& before, const WireGuard& after) {
  return replace(state_, before, after);
}

std::string KernelModel::destroy(const WireGuard& device) { return erase(state_, device); }

// ---- neighbours ---------------------------------------------------------------------------------

std::string KernelModel::make(const Neighbour& neighbour) {
  const Link* dev = link(neighbour.dev);
  if (dev == nullptr) return "ENODEV: " + format(neighbour.dev);
  // The kernel takes it, and forgets it when the link comes up another time.
  if (dev->up != true) return "not to stay: " + format(neighbour.dev) + " is down";
  return insert(state_, neighbour);
}

std::string KernelModel::change(const Neighbour& before, const Neighbour& after) {
  return replace(state_, before, after);
}

std::string KernelModel::destroy(const Neighbour& neighbour) { return erase(state_, neighbour); }

void KernelModel::unregister(const IfName& name) {
  std::erase_if(state_.of<Neighbour>(), [&](const Neighbour& one) { return one.dev == name; });
  std::erase_if(state_.of<WireGuard>(),
                [&](const WireGuard& device) { return device.name == name; });
  std::erase_if(state_.of<Link>(), [&](const Link& link) { return link.name == name; });
  std::vector<IfName> above;
  for (const Link& link : state_.of<Link>()) {
    if (lower_link(link) == name) above.push_back(link.name);
  }
  for (const IfName& vxlan : above) unregister(vxlan);
  for (Link& port : state_.of<Link>()) {
    if (port.master != name) continue;
    port.master.reset();
    port.port.reset();
  }
  std::vector<Address> gone;
  for (const Address& address : state_.of<Address>()) {
    if (address.link == name && is_ipv4(address)) gone.push_back(address);
  }
  std::erase_if(state_.of<Route>(), [&](const Route& route) {
    return route.family() == Family::inet &&
           std::ranges::any_of(route.nexthops, [&](const Nexthop& n) { return n.dev == name; });
  });
  for (const Address& address : gone) forget_address(address);
  drop_ipv6(name, true);
  const std::string part = "/" + format(name) + "/";
  std::erase_if(state_.of<Sysctl>(),
                [&](const Sysctl& sysctl) { return sysctl.path.find(part) != std::string::npos; });
  lost_ipv4_.erase(name);
}

void KernelModel::shut(const IfName& name) {
  std::erase_if(state_.of<Neighbour>(), [&](const Neighbour& one) { return one.dev == name; });
  flush_dead_routes(name, Family::inet, false);
  drop_ipv6(name, false);
}

/// The addresses go silently here: their routes keep them as source.
void KernelModel::drop_ipv6(const IfName& name, bool unregistered) {
  std::erase_if(state_.of<Address>(),
                [&](const Address& address) { return address.link == name && !is_ipv4(address); });
  if (!unregistered) return flush_dead_routes(name, Family::inet6, true);
  for (Route& route : state_.of<Route>()) {
    if (route.family() != Family::inet6 || route.nexthops.empty()) continue;
    std::erase_if(route.nexthops, [&](const Nexthop& nexthop) { return nexthop.dev == name; });
    if (route.nexthops.empty()) route.protocol = 255;  // to be swept below
  }
  std::erase_if(state_.of<Route>(), [](const Route& route) { return route.protocol == 255; });
}

bool KernelModel::is_dead(const Nexthop& nexthop, Family family) {
  if (!nexthop.dev) return false;
  const Link* dev = link(*nexthop.dev);
  return dev == nullptr || dev->up != true ||
         (family == Family::inet && lost_ipv4_.contains(*nexthop.dev));
}

void KernelModel::flush_dead_routes(const IfName& name, Family family, bool all_scopes) {
  std::erase_if(state_.of<Route>(), [&](const Route& route) {
    if (route.family() != family || (!all_scopes && route.scope == 254)) return false;
    const bool through =
        std::ranges::any_of(route.nexthops, [&](const Nexthop& n) { return n.dev == name; });
    return through && std::ranges::all_of(route.nexthops, [&](const Nexthop& nexthop) {
             return is_dead(nexthop, family);
           });
  });
}

}  // namespace plumbline::testing
