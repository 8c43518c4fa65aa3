#include "plumbline/spec/facts.hpp"

#include <algorithm>
#include <set>

#include "plumbline/spec/assignments.hpp"

namespace plumbline::spec {

namespace {

template <class T>
void sort_unique(std::vector<T>& values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

/// The first TAP by name counts, should two say that they are the same guest's.
void add_assignments(const State& have, const std::vector<Assignment>& copy,
                     std::vector<Assignment>& assignments) {
  std::set<std::tuple<IfName, std::string, std::string>> known;
  const auto add = [&](const Assignment& assignment) {
    if (known.emplace(assignment.network, assignment.vm, assignment.interface).second) {
      assignments.push_back(assignment);
    }
  };
  for (const Link& link : have.of<Link>()) {
    if (link.assignment.empty()) continue;
    if (const auto assignment = parse_assignment(link.assignment, link.name)) add(*assignment);
  }
  for (const Assignment& assignment : copy) add(assignment);
}

void add_networks(const State& have, const Mark& mark, const std::set<IfName>& ours,
                  std::vector<HostNetwork>& networks) {
  for (const Address& address : have.of<Address>()) {
    if (address.local.address.family() != Family::inet) continue;
    if (is_marked(address, mark) || ours.contains(address.link)) continue;
    const Prefix network =
        Prefix::masking(address.peer.value_or(address.local.address), address.local.length);
    networks.push_back({network, address.link, true});
  }
  for (const Route& route : have.of<Route>()) {
    const bool counts = route.family() == Family::inet && route.table == main_table &&
                        route.type == RouteType::unicast && route.to.length() > 0;
    if (!counts || is_marked(route, mark) || route.protocol == 2) continue;  // RTPROT_KERNEL
    for (const Nexthop& nexthop : route.nexthops) {
      if (nexthop.dev && !ours.contains(*nexthop.dev)) {
        networks.push_back({route.to, *nexthop.dev, false});
      }
    }
  }
}

void add_defaults(const State& have, const Mark& mark, std::vector<HostDefault>& defaults) {
  for (const Route& route : have.of<Route>()) {
    if (route.to != Prefix() || is_marked(route, mark)) continue;
    HostDefault found{route.table, route.metric, route.type, {}};
    for (const Nexthop& nexthop : route.nexthops) {
      if (nexthop.dev) found.links.push_back(*nexthop.dev);
    }
    sort_unique(found.links);
    defaults.push_back(std::move(found));
  }
}

}  // namespace

Facts facts_of(const State& have, const std::vector<Assignment>& copy, const Mark& mark) {
  Facts facts;
  std::set<IfName> ours;
  for (const Link& link : have.of<Link>()) {
    if (is_marked(link, mark)) {
      ours.insert(link.name);
      if (const auto mac = noted_mac(link)) facts.kept_macs.emplace_back(link.name, *mac);
    } else {
      facts.links.push_back({link.name, link.kind, link.mtu.value_or(0)});
    }
  }
  add_assignments(have, copy, facts.assignments);
  add_networks(have, mark, ours, facts.networks);
  add_defaults(have, mark, facts.defaults);
  sort_unique(facts.assignments);
  sort_unique(facts.kept_macs);
  sort_unique(facts.links);
  sort_unique(facts.networks);
  sort_unique(facts.defaults);
  return facts;
}

}  // namespace plumbline::spec
