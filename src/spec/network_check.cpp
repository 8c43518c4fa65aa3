#include "network_check.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <utility>

#include "ipv4.hpp"
#include "limits.hpp"
#include "link_stack.hpp"
#include "plumbline/spec/assignments.hpp"
#include "quoted.hpp"
#include "subnet_index.hpp"

namespace plumbline::spec {

namespace {

using wire::Entry;

class NetworkCheck {
 public:
  NetworkCheck(const Entry& section, const Spec& spec) : section_(&section), spec_(&spec) {}

  void run();

 private:
  using Path = std::initializer_list<std::string_view>;

  /// At the deepest place of the path below the network that there is.
  void error(Code code, std::string message, const Network& network, Path path) const;
  void error(Code code, std::string message, const Network& network, const Guest& vm,
             const GuestInterface& interface, std::string_view key) const;

  void check_subnet(const Network& network);
  void check_room(const Network& network);
  void check_guests(const Network& network);
  void claim_links();
  void claim(const Network& network);
  void check_tunnel(const Network& network) const;
  void check_table(const Network& network);
  [[nodiscard]] std::string other_role(const Network& network) const;

  const Entry* section_;
  const Spec* spec_;
  SubnetIndex<const Network*> subnets_;  ///< of those that were looked at
  SubnetIndex<const Address*> addresses_;
  std::map<IfName, std::size_t> ports_;  ///< that `links` gives each bridge
  std::map<IfName, Origin> names_;
  std::map<IfName, const Network*> tunnels_;  ///< managed, by name
  std::set<IfName> bridges_;
  std::set<IfName> taps_;
  std::set<IfName> uplinks_;
  std::map<TableId, const Network*> tables_;
  std::map<Mac, Origin> macs_;
  std::size_t guests_ = 0;
};

void NetworkCheck::error(Code code, std::string message, const Network& network, Path path) const {
  // Looking for the place of each of many thousand errors that are not kept would be quadratic.
  if (section_->is_full()) return section_->error(code, std::move(message));
  auto place = section_->find(network.bridge.view());
  for (const std::string_view key : path) {
    auto below = place->find(key);
    if (!below) break;
    place.emplace(*below);
  }
  place->error(code, std::move(message));
}

void NetworkCheck::error(Code code, std::string message, const Network& network, const Guest& vm,
                         const GuestInterface& interface, std::string_view key) const {
  error(code, std::move(message), network, {"vms", vm.id, "interfaces", interface.id, key});
}

// ---- numbers ------------------------------------------------------------------------------------

void NetworkCheck::check_subnet(const Network& network) {
  const auto any = [](const Prefix&, const Network*) { return true; };
  if (const auto* other = subnets_.find(network.subnet, any)) {
    error(Code::invalid_subnet,
          "the subnet " + format(network.subnet) + " overlaps " + format((*other)->subnet) +
              " of " + quoted((*other)->bridge) + " at " + format((*other)->subnet_origin),
          network, {"subnet"});
  }
  const auto elsewhere = [&](const Prefix&, const Address* address) {
    return address->link != network.bridge;
  };
  if (const auto* address = addresses_.find(network.subnet, elsewhere)) {
    error(Code::invalid_subnet,
          "the subnet " + format(network.subnet) + " overlaps the address " +
              format((*address)->local) + " of " + quoted((*address)->link) + " at " +
              format(spec_->origins.at(key(**address))),
          network, {"subnet"});
  }
  subnets_.add(network.subnet, &network);
}

void NetworkCheck::check_room(const Network& network) {
  const std::size_t room = guest_capacity(network.subnet);
  const auto others = ports_.find(network.bridge);
  const std::size_t most_taps =
      most_bridge_ports - std::min(others == ports_.end() ? 0 : others->second, most_bridge_ports);
  std::size_t count = 0;
  for (const Guest& vm : network.vms) {
    for (const GuestInterface& interface : vm.interfaces) {
      ++count;
      if (++guests_ == most_guests + 1) {
        error(Code::out_of_range,
              "more than " + std::to_string(most_guests) + " guests, and this is the next one",
              network, vm, interface, "");
      }
      if (count == room + 1) {
        error(Code::ip_exhausted,
              "the subnet " + format(network.subnet) + " has " + std::to_string(room) +
                  " addresses for guests, and this is one more",
              network, vm, interface, "");
      }
      if (count == most_taps + 1) {
        error(Code::out_of_range,
              "a bridge takes " + std::to_string(most_taps) + " TAPs" +
                  (most_taps == most_bridge_ports ? "" : " beside its other ports") +
                  ", and this is one more",
              network, vm, interface, "");
      }
    }
  }
}

void NetworkCheck::check_guests(const Network& network) {
  if (network.mac) {
    const auto [first, is_new] = macs_.emplace(network.mac->value, network.mac->origin);
    if (!is_new) {
      error(Code::duplicate_identity,
            "'" + format(network.mac->value) + "' is already given at " + format(first->second),
            network, {"mac"});
    }
  }
  std::map<IpAddress, Origin> addresses;
  for (const Guest& vm : network.vms) {
    for (const GuestInterface& interface : vm.interfaces) {
      const auto once = [&](auto& known, const auto& given, std::string_view key) {
        if (!given) return;
        const auto [first, is_new] = known.emplace(given->value, given->origin);
        if (is_new) return;
        error(Code::duplicate_identity,
              "'" + format(given->value) + "' is already given at " + format(first->second),
              network, vm, interface, key);
      };
      once(addresses, interface.ip, "ip");
      once(macs_, interface.mac, "mac");
      once(names_, interface.tap, "tap");
      if (interface.tap) taps_.insert(interface.tap->value);
    }
  }
}

// ---- names --------------------------------------------------------------------------------------

void NetworkCheck::claim_links() {
  for (const Link& link : spec_->state.of<Link>()) {
    const auto place = spec_->origins.find(key(link));
    const Origin origin = place == spec_->origins.end() ? Origin() : place->second;
    names_.emplace(link.name, origin);
    if (const auto peer = peer_here(link)) names_.emplace(*peer, origin);
    if (link.master) ++ports_[*link.master];
  }
  for (const Address& address : spec_->state.of<Address>()) {
    addresses_.add(address.local.network(), &address);
  }
}

void NetworkCheck::claim(const Network& network) {
  const auto [bridge, is_new] = names_.emplace(network.bridge, network.origin);
  if (!is_new) {
    error(Code::duplicate_identity,
          quoted(network.bridge) + " is already given at " + format(bridge->second), network, {});
  }
  bridges_.insert(network.bridge);
  if (network.uplink) uplinks_.insert(*network.uplink);
  if (!network.wireguard || !network.wireguard->managed()) return;
  const NetworkTunnel& tunnel = *network.wireguard;
  const auto [other, is_first] = tunnels_.emplace(tunnel.interface, &network);
  if (is_first) {
    const auto [name, is_free] = names_.emplace(tunnel.interface, tunnel.interface_origin);
    if (is_free) return;
    error(Code::duplicate_identity,
          quoted(tunnel.interface) + " is already given at " + format(name->second), network,
          {"wireguard", "interfaceName"});
  } else if (other->second->wireguard->config->text != tunnel.config->text) {
    error(Code::invalid_wireguard_config,
          quoted(tunnel.interface) + " is already the tunnel of " + quoted(other->second->bridge) +
              ", of another text: give an 'interfaceName'",
          network, {"wireguard", "interfaceName"});
  }
}

/// What else the interface of a tunnel is in this spec, in words; nothing when all is well.
std::string NetworkCheck::other_role(const Network& network) const {
  const IfName& name = network.wireguard->interface;
  if (bridges_.contains(name)) return "is the bridge of a network";
  if (taps_.contains(name)) return "is the TAP of a guest";
  if (uplinks_.contains(name)) return "is an uplink";
  if (network.wireguard->managed()) return {};
  if (tunnels_.contains(name)) return "is a tunnel that this spec makes";
  const Link* const link = spec_->state.find<Link>(Link::Key{name});
  if (link == nullptr) return {};
  if (link->kind == LinkKind::bridge) return "is a bridge";
  if (link->kind == LinkKind::tap) return "is a TAP";
  return link->master ? "is a port of " + quoted(*link->master) : std::string();
}

void NetworkCheck::check_tunnel(const Network& network) const {
  if (network.uplink && (bridges_.contains(*network.uplink) || taps_.contains(*network.uplink))) {
    error(Code::invalid_network, "an uplink cannot be a bridge or a TAP of a network", network,
          {"uplink"});
  }
  if (!network.wireguard) return;
  const std::string role = other_role(network);
  if (role.empty()) return;
  error(Code::invalid_wireguard_config, quoted(network.wireguard->interface) + " " + role, network,
        {"wireguard", network.wireguard->managed() ? "interfaceName" : "existingInterface"});
}

/// A routing table has one default route.
void NetworkCheck::check_table(const Network& network) {
  if (!network.wireguard || !network.wireguard->route_all_vm_traffic) return;
  const NetworkTunnel& tunnel = *network.wireguard;
  const auto [other, is_new] = tables_.emplace(tunnel.route_table, &network);
  if (is_new || other->second->wireguard->interface == tunnel.interface) return;
  error(Code::invalid_wireguard_config,
        "the routing table " + format(tunnel.route_table) + " leads into " +
            quoted(other->second->wireguard->interface) + " for " + quoted(other->second->bridge),
        network, {"wireguard", "routeTable"});
}

void NetworkCheck::run() {
  claim_links();
  for (const Network& network : spec_->networks) claim(network);
  for (const Network& network : spec_->networks) {
    check_subnet(network);
    check_room(network);
    check_guests(network);
    check_table(network);
  }
  for (const Network& network : spec_->networks) check_tunnel(network);
}

}  // namespace

void check_networks(const Entry& root, const Spec& spec) {
  const auto section = root.find("networks");
  if (section) NetworkCheck(*section, spec).run();
}

}  // namespace plumbline::spec
