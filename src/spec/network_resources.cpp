#include "network_resources.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "limits.hpp"

namespace plumbline::spec {

namespace {

std::optional<std::uint32_t> tunnel_mtu(const NetworkTunnel& tunnel, const Facts& facts,
                                        const State& given) {
  if (tunnel.managed()) return tunnel.settings->mtu.value_or(default_tunnel_mtu);
  for (const Link& link : given.of<Link>()) {
    if (link.name != tunnel.interface) continue;
    if (link.mtu) return link.mtu;
    if (link.kind == LinkKind::wireguard) return default_tunnel_mtu;
  }
  const auto there = std::ranges::find(facts.links, tunnel.interface, &HostLink::name);
  if (there == facts.links.end() || there->mtu == 0) return std::nullopt;
  return there->mtu;
}

/// In `filter` and in `mangle`.
constexpr std::size_t rules_for_each_direct = 2;

/// A name that a rule can say: `+` at its end would stand for any ending.
bool is_plain(const IfName& link) {
  return std::ranges::all_of(link.view(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
  });
}

/// Every network that main leads to, but for the guests' own and the tunnel's.
std::vector<NetworkShape::Direct> direct_networks(const AssignedNetwork& assigned,
                                                  const std::vector<AssignedNetwork>& all,
                                                  const Facts& facts, const State& given) {
  const Prefix loopback = *Prefix::parse("127.0.0.0/8");
  std::vector<NetworkShape::Direct> found;
  const auto add = [&](const IfName& link, const Prefix& network) {
    if (link == assigned.network.bridge || link == assigned.network.wireguard->interface) return;
    if (network.family() != Family::inet || network.length() < shortest_direct) return;
    if (!is_plain(link)) return;
    if (loopback.contains(network.address())) return;
    found.push_back({link, network});
  };
  for (const HostNetwork& there : facts.networks) add(there.link, there.network);
  for (const Address& address : given.of<Address>()) add(address.link, address.local.network());
  for (const Route& route : given.of<Route>()) {
    if (route.table != main_table || route.type != RouteType::unicast) continue;
    for (const Nexthop& nexthop : route.nexthops) {
      if (nexthop.dev) add(*nexthop.dev, route.to);
    }
  }
  for (const AssignedNetwork& other : all) add(other.network.bridge, other.network.subnet);
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

NetworkShape shape_of(const AssignedNetwork& assigned, const std::vector<AssignedNetwork>& all,
                      const Facts& facts, const State& given) {
  const Network& network = assigned.network;
  NetworkShape shape;
  shape.assigned = &assigned;
  shape.chain = chain_name(network.bridge, network.subnet);
  if (!network.wireguard || !network.wireguard->route_all_vm_traffic) return shape;
  const NetworkTunnel& tunnel = *network.wireguard;
  shape.tunnel = {tunnel.interface, tunnel.route_table, tunnel.fail_closed,
                  tunnel_mtu(tunnel, facts, given)};
  if (network.local_networks == LocalNetworks::direct) {
    shape.direct = direct_networks(assigned, all, facts, given);
  }
  return shape;
}

RuleList rules_of(const std::vector<NetworkResources::PlacedRule>& rules) {
  RuleList::Rules list;
  for (const auto& rule : rules) list.emplace_back(rule.text);
  return {std::move(list)};
}

}  // namespace

void NetworkResources::note_network(const Key& key, const IfName& network) {
  std::vector<std::string>& names = desired_->networks[key];
  const std::string name = format(network);
  const auto place = std::ranges::lower_bound(names, name);
  if (place == names.end() || *place != name) names.insert(place, name);
}

void NetworkResources::conflict(const Key& key, const Origin& origin, const IfName& network) {
  const auto place = desired_->origins.find(key);
  const Origin where = place == desired_->origins.end() ? Origin() : place->second;
  diagnostics_->error(Code::duplicate_identity,
                      format(key) + " is also of the network '" + format(network) + "' at " +
                          format(origin) + ", and another there",
                      where);
}

template <class K>
void NetworkResources::add(K value, const Origin& origin, const IfName& network) {
  const Key key = plumbline::key(value);
  note_network(key, network);
  if (desired_->origins.emplace(key, origin).second) {
    desired_->state.of<K>().push_back(std::move(value));
    return;
  }
  const auto& values = desired_->state.of<K>();
  std::size_t& next = indexed_[key.index()];
  for (; next < values.size(); ++next) places_.emplace(plumbline::key(values[next]), next);
  const auto other = places_.find(key);
  if (other == places_.end() || !(values[other->second] == value)) conflict(key, origin, network);
}

template void NetworkResources::add(Link value, const Origin& origin, const IfName& network);
template void NetworkResources::add(WireGuard value, const Origin& origin, const IfName& network);
template void NetworkResources::add(Address value, const Origin& origin, const IfName& network);
template void NetworkResources::add(Route value, const Origin& origin, const IfName& network);
template void NetworkResources::add(Rule value, const Origin& origin, const IfName& network);
template void NetworkResources::add(Sysctl value, const Origin& origin, const IfName& network);
template void NetworkResources::add(Chain value, const Origin& origin, const IfName& network);

void NetworkResources::add_chain(Family family, std::string table, std::string name,
                                 const std::vector<PlacedRule>& rules, const Origin& origin,
                                 const IfName& network) {
  Chain chain;
  chain.family = family;
  chain.table = std::move(table);
  chain.name = std::move(name);
  chain.rules = rules_of(rules);
  std::vector<Origin>& places = desired_->rule_origins[key(chain)];
  if (places.empty()) {
    for (const PlacedRule& rule : rules) places.push_back(rule.origin);
  }
  add(std::move(chain), origin, network);
}

void NetworkResources::insert(Family family, std::string table, std::string chain, Line line,
                              std::string rule, const Origin& origin, const IfName& network) {
  inserted_[{family, std::move(table), std::move(chain)}].push_back(
      {line, {std::move(rule), origin}, network});
}

void NetworkResources::join_shared_chains() {
  for (auto& [key, rules] : inserted_) join(key, std::move(rules));
  inserted_.clear();
}

void NetworkResources::join(const SharedChain::Key& key, std::vector<Inserted> rules) {
  std::ranges::stable_sort(rules, {}, &Inserted::line);
  std::vector<PlacedRule> placed;
  std::vector<Origin> places;
  for (Inserted& inserted : rules) {
    note_network(key, inserted.network);
    places.push_back(inserted.rule.origin);
    placed.push_back(std::move(inserted.rule));
  }
  auto& chains = desired_->state.of<SharedChain>();
  auto chain = std::ranges::find_if(
      chains, [&](const SharedChain& given) { return plumbline::key(given) == key; });
  if (chain == chains.end()) {
    desired_->origins.emplace(key, places.front());
    SharedChain added;
    added.family = key.family;
    added.table = key.table;
    added.name = key.name;
    chain = chains.insert(chains.end(), std::move(added));
  }
  chain->insert = rules_of(placed).followed_by(chain->insert);
  std::vector<Origin>& origins = desired_->rule_origins[key];
  origins.insert(origins.begin(), places.begin(), places.end());
}

void add_network_resources(const std::vector<AssignedNetwork>& networks, const Facts& facts,
                           Desired& desired, Diagnostics& diagnostics) {
  std::vector<NetworkShape> shapes;
  std::size_t rules = 0;
  for (const AssignedNetwork& assigned : networks) {
    shapes.push_back(shape_of(assigned, networks, facts, desired.state));
    rules += rules_for_each_direct * shapes.back().direct.size();
    if (rules <= most_firewall_rules) continue;
    diagnostics.error(Code::out_of_range,
                      "with this network \"localNetworks\": \"direct\" needs more than " +
                          std::to_string(most_firewall_rules) +
                          " rules, as main has so many routes: use \"tunnel\"",
                      assigned.network.origin);
    return;
  }
  NetworkResources resources(desired, diagnostics);
  add_tap_guards(shapes, resources);
  add_option_guards(shapes, resources);
  add_anti_spoofing(shapes, resources);
  for (const NetworkShape& shape : shapes) {
    add_gateway_guard(shape, resources);
    add_firewall(shape, resources);
    add_tunnel(shape, resources);
    add_routing(shape, resources);
    add_links(shape, resources);
    add_forwarding(shape, resources);
  }
  resources.join_shared_chains();
}

}  // namespace plumbline::spec
