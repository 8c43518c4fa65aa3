#include "network_resources.hpp"

namespace plumbline::spec {

namespace {

void add_links(const AssignedNetwork& assigned, Desired& desired) {
  const Network& network = assigned.network;
  const auto add = [&](Link link, const Origin& origin) {
    desired.origins.emplace(key(link), origin);
    desired.networks[key(link)] = {format(network.bridge)};
    desired.state.of<Link>().push_back(std::move(link));
  };
  Link bridge;
  bridge.name = network.bridge;
  bridge.kind = LinkKind::bridge;
  bridge.up = false;  // until what guards it is made as well
  bridge.mac = bridge_mac(network.bridge);
  bridge.bridge = BridgeOptions();
  add(std::move(bridge), network.origin);
  for (const AssignedInterface& interface : assigned.interfaces) {
    Link tap;
    tap.name = interface.tap;
    tap.kind = LinkKind::tap;
    tap.up = true;
    tap.master = network.bridge;
    tap.tap = TapOptions{interface.owner, interface.group, {}, {}};
    tap.assignment = format(assignment_of(assigned, interface));
    add(std::move(tap), interface.origin);
  }
}

}  // namespace

void add_network_resources(const std::vector<AssignedNetwork>& networks, const Facts& /*facts*/,
                           Desired& desired, Diagnostics& /*diagnostics*/) {
  for (const AssignedNetwork& assigned : networks) add_links(assigned, desired);
}

}  // namespace plumbline::spec
