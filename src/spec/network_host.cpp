#include "network_host.hpp"

#include <algorithm>

#include "ipv4.hpp"

namespace plumbline::spec {

namespace {

std::string quoted(const IfName& name) { return "'" + format(name) + "'"; }

/// A route into a part of the subnet would take guests' addresses away; one to more than the
/// subnet only says where the rest is.
bool is_in_the_way(const HostNetwork& there, const Network& network) {
  if (there.link == network.bridge) return false;
  return there.connected ? overlap(network.subnet, there.network)
                         : network.subnet.length() <= there.network.length() &&
                               network.subnet.contains(there.network.address());
}

void check_subnet(const Network& network, const Facts& facts, Diagnostics& diagnostics) {
  for (const HostNetwork& there : facts.networks) {
    if (!is_in_the_way(there, network)) continue;
    diagnostics.error(Code::invalid_subnet,
                      "the subnet " + format(network.subnet) + " of " + quoted(network.bridge) +
                          " overlaps " + format(there.network) + ", which the host has on " +
                          quoted(there.link),
                      network.subnet_origin);
    return;
  }
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

bool is_there(const IfName& name, const Spec& spec, const Facts& facts) {
  const auto makes = [&](const Link& link) { return link.name == name || peer_here(link) == name; };
  return std::ranges::find(facts.links, name, &HostLink::name) != facts.links.end() ||
         std::ranges::any_of(spec.state.of<Link>(), makes);
}

/// Guests without an uplink are no error: a modem that is not plugged in yet, or a tunnel that
/// another program will make.
void check_uplinks(const AssignedNetwork& assigned, const Spec& spec, const Facts& facts,
                   Diagnostics& diagnostics) {
  const Network& network = assigned.network;
  const auto warn = [&](std::string words) {
    diagnostics.warning(Code::host_warning, std::move(words), network.uplink_origin);
  };
  if (assigned.uplinks.empty()) {
    warn("there is no default route for " + quoted(network.bridge) +
         " to follow: its guests reach only this host until there is one");
  } else if (network.uplink && !is_there(*network.uplink, spec, facts)) {
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
  for (const AssignedNetwork& assigned : networks) {
    check_subnet(assigned.network, facts, diagnostics);
    check_tunnel(assigned, facts, diagnostics);
    check_uplinks(assigned, spec, facts, diagnostics);
  }
}

}  // namespace plumbline::spec
