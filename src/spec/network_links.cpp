// What of a network is no firewall: bridge, TAPs, tunnel, routing and forwarding.

#include <linux/rtnetlink.h>

#include "network_resources.hpp"

namespace plumbline::spec {

namespace {

/// What nothing else leads anywhere any more, so that no packet goes by another table.
constexpr std::uint32_t last_metric = UINT32_MAX;

Rule rule_of(const NetworkShape& shape, std::uint32_t offset, TableId table) {
  Rule rule;
  rule.priority = shape.network().rule_priority + offset;
  rule.iif = format(shape.network().bridge);
  rule.table = table;
  return rule;
}

}  // namespace

void add_links(const NetworkShape& shape, NetworkResources& resources) {
  const Network& network = shape.network();
  Link bridge;
  bridge.name = network.bridge;
  bridge.kind = LinkKind::bridge;
  bridge.up = true;
  const auto& kept_mac = shape.assigned->kept_mac;
  bridge.mac = kept_mac.value_or(bridge_mac(network));
  if (kept_mac) bridge.assignment = note_of_mac(*kept_mac);
  // Else a guest's frame to 01:80:c2:00:00:0X would be learned from before any chain sees it.
  bridge.bridge = BridgeOptions();
  bridge.bridge->no_linklocal_learn = true;
  resources.add(std::move(bridge), network.origin, network.bridge);

  Address gateway;
  gateway.link = network.bridge;
  gateway.local = {shape.assigned->gateway, network.subnet.length()};
  resources.add(gateway, network.subnet_origin, network.bridge);

  for (const AssignedInterface& interface : shape.assigned->interfaces) {
    Link tap;
    tap.name = interface.tap;
    tap.kind = LinkKind::tap;
    tap.up = true;
    tap.master = network.bridge;
    tap.tap = TapOptions{interface.owner, interface.group, {}, {}};
    tap.port = PortSettings();
    tap.port->isolated = network.isolation;
    tap.assignment = format(assignment_of(*shape.assigned, interface));
    resources.add(std::move(tap), interface.origin, network.bridge);
  }
}

void add_tunnel(const NetworkShape& shape, NetworkResources& resources) {
  const Network& network = shape.network();
  if (!network.wireguard || !network.wireguard->managed()) return;
  const NetworkTunnel& tunnel = *network.wireguard;
  const TunnelConfig& settings = *tunnel.settings;
  Link link;
  link.name = tunnel.interface;
  link.kind = LinkKind::wireguard;
  link.up = true;
  link.mtu = settings.mtu.value_or(default_tunnel_mtu);
  resources.add(std::move(link), tunnel.origin, network.bridge);

  WireGuard device = settings.device;
  device.name = tunnel.interface;
  resources.add(std::move(device), tunnel.origin, network.bridge);

  for (const InterfaceAddress& local : settings.addresses) {
    Address address;
    address.link = tunnel.interface;
    address.local = local;
    resources.add(address, tunnel.origin, network.bridge);
  }
}

void add_routing(const NetworkShape& shape, NetworkResources& resources) {
  if (!shape.tunnel) return;
  const Network& network = shape.network();
  const NetworkShape::Tunnel& tunnel = *shape.tunnel;
  const Origin& origin = network.wireguard->origin;

  Route into;
  into.table = tunnel.table;
  into.nexthops = {Nexthop{.via = std::nullopt, .dev = tunnel.interface}};
  into.scope = RT_SCOPE_LINK;
  resources.add(std::move(into), origin, network.bridge);
  if (tunnel.fail_closed) {
    Route nowhere;
    nowhere.table = tunnel.table;
    nowhere.type = RouteType::unreachable;
    nowhere.metric = last_metric;
    resources.add(std::move(nowhere), origin, network.bridge);
  }

  Rule to_guests = rule_of(shape, 0, main_table);
  to_guests.to = network.subnet;
  resources.add(std::move(to_guests), origin, network.bridge);
  if (network.local_networks == LocalNetworks::direct) {
    Rule to_local = rule_of(shape, 1, main_table);
    to_local.suppress_prefix_length = shortest_direct - 1;
    resources.add(std::move(to_local), origin, network.bridge);
  }
  resources.add(rule_of(shape, 2, tunnel.table), origin, network.bridge);
}

void add_forwarding(const NetworkShape& shape, NetworkResources& resources) {
  const Network& network = shape.network();
  resources.add(Sysctl{"net/ipv4/ip_forward", "1"}, network.origin, network.bridge);
  resources.add(Sysctl{"net/ipv4/conf/" + format(network.bridge) + "/send_redirects", "0"},
                network.origin, network.bridge);
}

}  // namespace plumbline::spec
