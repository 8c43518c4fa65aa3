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

/// What a guest sends to 01:80:c2:00:00:0X is a frame as any other: not handed to the host as the
/// TAP's own.
constexpr std::uint16_t every_group = UINT16_MAX & ~mac_pause;

Link tap_of(const NetworkShape& shape, const AssignedInterface& interface) {
  const Network& network = shape.network();
  Link tap;
  tap.name = interface.tap;
  tap.kind = LinkKind::tap;
  tap.up = true;
  // Whoever holds the TAP may set it (tun_chr_ioctl() in drivers/net/tun.c), and gets what the
  // bridge would send to another who has that MAC. The bridge's own is what is for the host anyway.
  tap.mac = mac_of_bridge(*shape.assigned);
  tap.master = network.bridge;
  tap.tap = TapOptions{interface.owner, interface.group, {}, {}};
  tap.port = PortSettings();
  tap.port->isolated = network.isolation;
  tap.port->group_fwd_mask = every_group;
  tap.assignment = format(assignment_of(*shape.assigned, interface));
  return tap;
}

}  // namespace

void add_links(const NetworkShape& shape, NetworkResources& resources) {
  const Network& network = shape.network();
  Link bridge;
  bridge.name = network.bridge;
  bridge.kind = LinkKind::bridge;
  bridge.up = true;
  bridge.mac = mac_of_bridge(*shape.assigned);
  if (const auto& kept_mac = shape.assigned->kept_mac) bridge.assignment = note_of_mac(*kept_mac);
  // Else a guest's frame to 01:80:c2:00:00:0X would be learned from before any chain sees it.
  bridge.bridge = BridgeOptions();
  bridge.bridge->no_linklocal_learn = true;
  resources.add(std::move(bridge), network.origin, network.bridge);

  Address gateway;
  gateway.link = network.bridge;
  gateway.local = {shape.assigned->gateway, network.subnet.length()};
  resources.add(gateway, network.subnet_origin, network.bridge);

  for (const AssignedInterface& interface : shape.assigned->interfaces) {
    resources.add(tap_of(shape, interface), interface.origin, network.bridge);
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
  const auto of_bridge = [&](const char* family, const char* name, const char* value) {
    resources.add(
        Sysctl{"net/" + std::string(family) + "/conf/" + format(network.bridge) + name, value},
        network.origin, network.bridge);
  };
  of_bridge("ipv4", "/send_redirects", "0");
  // What the kernel complains of before it asks ip6tables, an option behind the header, is
  // answered to whom the guest names (ipv6_parse_hopopts() in net/ipv6/exthdrs.c). Without IPv6 it
  // does not look (ip6_rcv_core() in net/ipv6/ip6_input.c).
  if (network.ipv6 == GuestIpv6::block) of_bridge("ipv6", "/disable_ipv6", "1");
  // A guest is no router of the host's, unless the spec says so.
  const Sysctl::Key accept_ra{"net/ipv6/conf/" + format(network.bridge) + "/accept_ra"};
  if (network.ipv6 == GuestIpv6::ignore && !resources.is_given(accept_ra)) {
    of_bridge("ipv6", "/accept_ra", "0");
  }
}

}  // namespace plumbline::spec
