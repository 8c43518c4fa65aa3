// Three rounds over all guests: what is given explicitly, what they had, and what is left open. So
// an explicit value beats a sticky one, a sticky one beats a new one, and a new guest changes
// nothing for the others.

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "ipv4.hpp"
#include "network_host.hpp"
#include "plumbline/spec/assignments.hpp"

namespace plumbline::spec {

namespace {

using GuestId = std::pair<std::string, std::string>;

/// A guest's interface on its way.
struct Slot {
  const GuestInterface* given = nullptr;
  const Assignment* earlier = nullptr;
  AssignedInterface out;
  bool has_ip = false;
  bool has_mac = false;
  bool has_tap = false;
};

struct Subnet {
  AssignedNetwork network;
  std::vector<Slot> slots;
  std::set<std::uint32_t> used;  ///< offsets in the subnet
  std::uint32_t lowest = 2;      ///< nothing below it is free
};

class Assigning {
 public:
  Assigning(const Spec& spec, const Facts& facts);

  std::vector<AssignedNetwork> run(Diagnostics& diagnostics);

 private:
  void add_slots(Subnet& subnet);
  void take_names(const Spec& spec, const Facts& facts);
  void explicit_values(Subnet& subnet);
  void sticky_values(Subnet& subnet);
  void new_values(Subnet& subnet, Diagnostics& diagnostics);
  static void new_ip(Subnet& subnet, Slot& slot, Diagnostics& diagnostics);
  void new_mac(Slot& slot);
  void new_tap(Slot& slot);
  [[nodiscard]] bool is_free(const IfName& tap, const Slot& slot) const;

  std::vector<Subnet> subnets_;
  std::map<std::tuple<IfName, std::string, std::string>, const Assignment*> earlier_;
  std::set<IfName> taps_;                ///< names in use
  std::map<IfName, GuestId> held_taps_;  ///< by guests that had them
  std::set<Mac> macs_;
};

Assigning::Assigning(const Spec& spec, const Facts& facts) {
  for (const Assignment& assignment : facts.assignments) {
    earlier_.emplace(std::tuple(assignment.network, assignment.vm, assignment.interface),
                     &assignment);
    held_taps_.emplace(assignment.tap, GuestId(assignment.vm, assignment.interface));
  }
  take_names(spec, facts);
  std::vector<const Network*> networks;
  for (const Network& network : spec.networks) networks.push_back(&network);
  std::ranges::sort(networks, std::ranges::less{}, [](const Network* n) { return n->bridge; });
  const std::vector<IfName> defaults = default_uplinks(spec, facts);
  for (const Network* const network : networks) {
    Subnet subnet;
    subnet.network.network = *network;
    subnet.network.gateway = gateway_of(network->subnet);
    subnet.network.uplinks = network->uplink ? std::vector{*network->uplink} : defaults;
    const auto kept =
        std::ranges::find(facts.kept_macs, network->bridge, &std::pair<IfName, Mac>::first);
    if (!network->mac && kept != facts.kept_macs.end()) subnet.network.kept_mac = kept->second;
    macs_.insert(subnet.network.kept_mac.value_or(bridge_mac(*network)));
    subnets_.push_back(std::move(subnet));
  }
  for (Subnet& subnet : subnets_) add_slots(subnet);
}

void Assigning::add_slots(Subnet& subnet) {
  const Network& network = subnet.network.network;
  for (const Guest& vm : network.vms) {
    for (const GuestInterface& given : vm.interfaces) {
      Slot slot;
      slot.given = &given;
      const auto earlier = earlier_.find(std::tuple(network.bridge, vm.id, given.id));
      if (earlier != earlier_.end()) slot.earlier = earlier->second;
      slot.out.vm = vm.id;
      slot.out.interface = given.id;
      slot.out.guest_interface = given.guest_interface;
      slot.out.owner = given.owner;
      slot.out.group = given.group;
      slot.out.origin = given.origin;
      subnet.slots.push_back(std::move(slot));
    }
  }
}

/// Of every link that is not a TAP of ours.
void Assigning::take_names(const Spec& spec, const Facts& facts) {
  for (const Link& link : spec.state.of<Link>()) {
    taps_.insert(link.name);
    if (const auto peer = peer_here(link)) taps_.insert(*peer);
  }
  for (const HostLink& link : facts.links) taps_.insert(link.name);
  for (const Network& network : spec.networks) {
    taps_.insert(network.bridge);
    if (network.uplink) taps_.insert(*network.uplink);
    if (network.wireguard) taps_.insert(network.wireguard->interface);
  }
}

void Assigning::explicit_values(Subnet& subnet) {
  const std::uint32_t base = number_of(subnet.network.network.subnet.address());
  for (Slot& slot : subnet.slots) {
    if (slot.given->ip) {
      slot.out.ip = slot.given->ip->value;
      subnet.used.insert(number_of(slot.out.ip) - base);
      slot.has_ip = true;
    }
    if (slot.given->mac) {
      slot.out.mac = slot.given->mac->value;
      macs_.insert(slot.out.mac);
      slot.has_mac = true;
    }
    if (slot.given->tap) {
      slot.out.tap = slot.given->tap->value;
      taps_.insert(slot.out.tap);
      slot.has_tap = true;
    }
  }
}

void Assigning::sticky_values(Subnet& subnet) {
  const Prefix& prefix = subnet.network.network.subnet;
  for (Slot& slot : subnet.slots) {
    if (slot.earlier == nullptr) continue;
    const Assignment& earlier = *slot.earlier;
    const bool same_subnet = earlier.ip.network() == prefix;
    if (!slot.has_ip && same_subnet && is_guest_address(prefix, earlier.ip.address)) {
      const std::uint32_t offset = number_of(earlier.ip.address) - number_of(prefix.address());
      slot.has_ip = subnet.used.insert(offset).second;
      if (slot.has_ip) slot.out.ip = earlier.ip.address;
    }
    if (!slot.has_mac && !earlier.mac.is_multicast() && !earlier.mac.is_zero()) {
      slot.has_mac = macs_.insert(earlier.mac).second;
      if (slot.has_mac) slot.out.mac = earlier.mac;
    }
    if (!slot.has_tap) {
      slot.has_tap = taps_.insert(earlier.tap).second;
      if (slot.has_tap) slot.out.tap = earlier.tap;
    }
  }
}

void Assigning::new_ip(Subnet& subnet, Slot& slot, Diagnostics& diagnostics) {
  const Prefix& prefix = subnet.network.network.subnet;
  while (subnet.used.contains(subnet.lowest)) ++subnet.lowest;
  if (subnet.lowest >= last_offset(prefix)) {
    diagnostics.error(Code::ip_exhausted,
                      "the subnet " + format(prefix) + " has no free address left for this guest",
                      slot.given->origin);
    return;
  }
  subnet.used.insert(subnet.lowest);
  slot.out.ip = ipv4(number_of(prefix.address()) + subnet.lowest);
  slot.has_ip = true;
}

void Assigning::new_mac(Slot& slot) {
  unsigned attempt = 0;
  do {
    slot.out.mac = guest_mac(slot.out.vm, slot.out.interface, attempt++);
  } while (!macs_.insert(slot.out.mac).second);
}

/// A TAP that another guest had, even one that is gone, may still be held by that guest's VMM.
bool Assigning::is_free(const IfName& tap, const Slot& slot) const {
  if (tap.empty() || taps_.contains(tap)) return false;
  const auto held = held_taps_.find(tap);
  return held == held_taps_.end() || held->second == GuestId(slot.out.vm, slot.out.interface);
}

void Assigning::new_tap(Slot& slot) {
  unsigned attempt = 0;
  do {
    slot.out.tap = tap_name(slot.out.vm, slot.out.interface, attempt++);
  } while (!is_free(slot.out.tap, slot));
  taps_.insert(slot.out.tap);
}

/// What it had, and somebody else has now by an explicit value.
std::string what_was_lost(const Subnet& subnet, const Slot& slot) {
  const Assignment& had = *slot.earlier;
  std::string lost;
  const auto add = [&](std::string_view what, const std::string& from, const std::string& to) {
    if (!lost.empty()) lost += ", ";
    lost += std::string(what) + " " + to + " instead of " + from;
  };
  const bool same_subnet = had.ip.network() == subnet.network.network.subnet;
  if (!slot.given->ip && same_subnet && slot.out.ip != had.ip.address) {
    add("the address", format(had.ip.address), format(slot.out.ip));
  }
  if (!slot.given->mac && slot.out.mac != had.mac)
    add("the MAC", format(had.mac), format(slot.out.mac));
  if (!slot.given->tap && slot.out.tap != had.tap)
    add("the TAP", format(had.tap), format(slot.out.tap));
  return lost;
}

void Assigning::new_values(Subnet& subnet, Diagnostics& diagnostics) {
  for (Slot& slot : subnet.slots) {
    if (!slot.has_ip) new_ip(subnet, slot, diagnostics);
    if (!slot.has_ip) continue;
    if (!slot.has_mac) new_mac(slot);
    if (!slot.has_tap) new_tap(slot);
    if (slot.earlier != nullptr) {
      const Assignment& had = *slot.earlier;
      slot.out.reassigned =
          slot.out.ip != had.ip.address || slot.out.mac != had.mac || slot.out.tap != had.tap;
      const std::string lost = what_was_lost(subnet, slot);
      if (!lost.empty()) {
        diagnostics.warning(Code::reassigned,
                            "'" + slot.out.vm + "' " + slot.out.interface + " gets " + lost +
                                ", which is taken: the guest is cut off until it is told",
                            slot.given->origin);
      }
    }
    subnet.network.interfaces.push_back(std::move(slot.out));
  }
}

std::vector<AssignedNetwork> Assigning::run(Diagnostics& diagnostics) {
  for (Subnet& subnet : subnets_) explicit_values(subnet);
  for (Subnet& subnet : subnets_) sticky_values(subnet);
  for (Subnet& subnet : subnets_) new_values(subnet, diagnostics);
  std::vector<AssignedNetwork> networks;
  for (Subnet& subnet : subnets_) networks.push_back(std::move(subnet.network));
  return networks;
}

}  // namespace

std::vector<AssignedNetwork> assign(const Spec& spec, const Facts& facts,
                                    Diagnostics& diagnostics) {
  std::vector<AssignedNetwork> networks = Assigning(spec, facts).run(diagnostics);
  check_against_host(networks, spec, facts, diagnostics);
  return networks;
}

}  // namespace plumbline::spec
