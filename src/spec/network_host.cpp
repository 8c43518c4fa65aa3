#include "network_host.hpp"

#include <algorithm>
#include <set>

#include "ipv4.hpp"
#include "quoted.hpp"
#include "subnet_index.hpp"

namespace plumbline::spec {

namespace {

/// A route into a part of the subnet would take guests' addresses away; one to more than the
/// subnet only says where the rest is.
bool is_in_the_way(const HostNetwork& there, const Network& network) {
  if (there.link == network.bridge) return false;
  return there.connected ? overlap(network.subnet, there.network)
                         : network.subnet.length() <= there.network.length() &&
                               network.subnet.contains(there.network.address());
}

using HostNetworks = SubnetIndex<const HostNetwork*>;

void check_subnet(const Network& network, const HostNetworks& host, Diagnostics& diagnostics) {
  const auto* const there = host.find(network.subnet, [&](const Prefix&, const HostNetwork* other) {
    return is_in_the_way(*other, network);
  });
  if (there == nullptr) return;
  diagnostics.error(Code::invalid_subnet,
                    "the subnet " + format(network.subnet) + " of " + quoted(network.bridge) +
                        " overlaps " + format((*there)->network) + ", which the host has on " +
                        quoted((*there)->link),
                    network.subnet_origin);
}

void check_tunnel(const AssignedNetwork& assigned, const Facts& facts, Diagnostics& diagnostics) {
  const auto& tunnel = assigned.network.wireguard;
  if (!tunnel) return;
  const auto refuse = [&](std::string_view what) {
    diagnostics.error(Code::invalid_wireguard_config,
                      quoted(tunnel->interface) + " " + std::string(what),
                      tunnel->interface_origin);
  };
  if (std::ranges::binary_search(assigned.uplinks, tunnel->interface)) {
    return refuse("is an uplink: a tunnel through itself leads nowhere");
  }
  if (tunnel->interface.view() == "lo") return refuse("is the loopback, not a tunnel");
  const auto link = std::ranges::find(facts.links, tunnel->interface, &HostLink::name);
  if (link != facts.links.end() && link->kind == LinkKind::bridge) {
    refuse("is a bridge on this host, not a tunnel");
  }
}

std::set<IfName> names_of_links(const Spec& spec, const Facts& facts) {
  std::set<IfName> names;
  for (const HostLink& link : facts.links) names.insert(link.name);
  for (const Link& link : spec.state.of<Link>()) {
    names.insert(link.name);
    if (const auto peer = peer_here(link)) names.insert(*peer);
  }
  return names;
}

/// Guests without an uplink are no error: a modem that is not plugged in yet, or a tunnel that
/// another program will make.
void check_uplinks(const AssignedNetwork& assigned, const std::set<IfName>& links,
                   Diagnostics& diagnostics) {
  const Network& network = assigned.network;
  const auto warn = [&](std::string words) {
    diagnostics.warning(Code::host_warning, std::move(words), network.uplink_origin);
  };
  if (assigned.uplinks.empty()) {
    warn("there is no default route for " + quoted(network.bridge) +
         " to follow: its guests reach only this host until there is one");
  } else if (network.uplink && !links.contains(*network.uplink)) {
    warn("the uplink " + quoted(*network.uplink) + " of " + quoted(network.bridge) +
         " is not on this host");
  }
}

}  // namespace

std::vector<IfName> default_uplinks(const Spec& spec, const Facts& facts) {
  std::vector<IfName> links;
  for (const HostDefault& route : facts.defaults) {
    if (route.table != main_table || route.type != RouteType::unicast) continue;
    links.insert(links.end(), route.links.begin(), route.links.end());
  }
  for (const Route& route : spec.state.of<Route>()) {
    if (route.table != main_table || route.to != Prefix() || route.type != RouteType::unicast) {
      continue;
    }
    for (const Nexthop& nexthop : route.nexthops) {
      if (nexthop.dev) links.push_back(*nexthop.dev);
    }
  }
  std::ranges::sort(links);
  links.erase(std::unique(links.begin(), links.end()), links.end());
  return links;
}

void check_against_host(const std::vector<AssignedNetwork>& networks, const Spec& spec,
                        const Facts& facts, Diagnostics& diagnostics) {
  if (networks.empty()) return;
  HostNetworks host;
  for (const HostNetwork& there : facts.networks) host.add(there.network, &there);
  const std::set<IfName> links = names_of_links(spec, facts);
  for (const AssignedNetwork& assigned : networks) {
    check_subnet(assigned.network, host, diagnostics);
    check_tunnel(assigned, facts, diagnostics);
    check_uplinks(assigned, links, diagnostics);
  }
}

}  // namespace plumbline::spec
