#include "plumbline/spec/expand.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace plumbline::spec {

namespace {

/// A veth pair of which the spec describes one end: the other is wanted as well, up as this one is.
void add_veth_peers(Spec& spec) {
  std::vector<Link> peers;
  for (const Link& link : spec.state.of<Link>()) {
    if (link.kind != LinkKind::veth || !link.veth || !link.veth->peer) continue;
    Link peer;
    peer.name = *link.veth->peer;
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
void mark_all(Spec& spec, const Mark& mark) {
  for (K& value : spec.state.of<K>()) {
    const Key before = key(value);
    value = with_mark(std::move(value), mark);
    const Key after = key(value);
    if (after == before) continue;
    rename(spec.origins, before, after);
    rename(spec.rule_origins, before, after);
  }
}

}  // namespace

Desired expand(Spec spec, const Mark& mark) {
  add_veth_peers(spec);
  Kinds::for_each([&]<class K>(std::type_identity<K>) { mark_all<K>(spec, mark); });
  spec.state.sort();
  return {std::move(spec.state), std::move(spec.origins), std::move(spec.rule_origins)};
}

}  // namespace plumbline::spec
