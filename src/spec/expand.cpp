#include "plumbline/spec/expand.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "network_resources.hpp"

namespace plumbline::spec {

namespace {

/// A veth pair of which the spec describes one end: the other is wanted as well, up as this one is.
void add_veth_peers(Spec& spec) {
  std::vector<Link> peers;
  for (const Link& link : spec.state.of<Link>()) {
    const auto name = peer_here(link);
    if (!name) continue;
    Link peer;
    peer.name = *name;
    peer.kind = LinkKind::veth;
    peer.up = link.up;
    peer.veth = VethOptions{link.name};
    const auto place = spec.origins.find(key(link));
    const Origin origin = place == spec.origins.end() ? Origin() : place->second;
    if (spec.origins.emplace(key(peer), origin).second) peers.push_back(std::move(peer));
  }
  std::ranges::move(peers, std::back_inserter(spec.state.of<Link>()));
}

/// The mark is part of some keys, so what is known by key moves along.
template <class Map>
void rename(Map& map, const Key& before, const Key& after) {
  auto node = map.extract(before);
  if (node.empty()) return;
  node.key() = after;
  map.insert(std::move(node));
}

template <class K>
void mark_all(Desired& desired, const Mark& mark) {
  for (K& value : desired.state.of<K>()) {
    const Key before = key(value);
    value = with_mark(std::move(value), mark);
    const Key after = key(value);
    if (after == before) continue;
    rename(desired.origins, before, after);
    rename(desired.rule_origins, before, after);
    rename(desired.networks, before, after);
  }
}

}  // namespace

Desired expand(Spec spec, const Facts& facts, const Mark& mark, Diagnostics& diagnostics) {
  add_veth_peers(spec);
  Desired desired;
  desired.assigned = assign(spec, facts, diagnostics);
  desired.state = std::move(spec.state);
  desired.origins = std::move(spec.origins);
  desired.rule_origins = std::move(spec.rule_origins);
  add_network_resources(desired.assigned, facts, desired, diagnostics);
  Kinds::for_each([&]<class K>(std::type_identity<K>) { mark_all<K>(desired, mark); });
  desired.state.sort();
  return desired;
}

Desired expand(Spec spec, const Mark& mark) {
  Diagnostics none;
  return expand(std::move(spec), Facts(), mark, none);
}

}  // namespace plumbline::spec
