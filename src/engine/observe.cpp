#include "plumbline/engine/observe.hpp"

#include <algorithm>

namespace plumbline::engine {

Observed observe(io::Host& host, const Scope& scope) {
  // Several kinds may ask the same: chains and shared chains come from one dump. No kind asks
  // anything twice, and one may ask for thousands of things. Links are the first kind, so names are
  // known from the start of the snapshot.
  std::vector<wire::Request> requests;
  std::vector<std::size_t> places;  // of each kind's queries, one after the other
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    const auto others = static_cast<std::ptrdiff_t>(requests.size());
    for (wire::Request& query : K::queries(scope)) {
      const auto end = requests.begin() + others;
      const auto same = std::find(requests.begin(), end, query);
      places.push_back(
          static_cast<std::size_t>((same == end ? requests.end() : same) - requests.begin()));
      if (same == end) requests.push_back(std::move(query));
    }
  });
  const std::vector<wire::Reply> replies = host.exchange(requests);

  Observed observed;
  for (const wire::Reply& reply : replies) {
    if (reply.error == 0 && !reply.message.empty()) observed.warnings.push_back(reply.message);
  }
  observed.links = link_names(replies.front());  // as Link::queries() promises
  auto place = places.begin();
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const wire::Request& query : K::queries(scope)) {
      K::decode(query, replies.at(*place++), observed.links, observed.state.of<K>());
    }
  });
  observed.state.sort();
  return observed;
}

Observed observe(io::Host& host, Ruleset& ruleset, bool linked, Scope scope,
                 const ChainScope& chains) {
  scope.firewall_text = !linked;
  Observed observed = observe(host, scope);
  ruleset.observe(host, chains.chains, linked, observed.state);
  if (linked) {
    const std::vector<wire::Request> looks{wire::FirewallRivals{Family::inet},
                                           wire::FirewallRivals{Family::inet6}};
    for (const wire::Reply& reply : host.exchange(looks)) {
      if (!reply.message.empty()) observed.warnings.push_back(reply.message);
    }
  }
  Nfnetlink kernel(host);
  for (const std::string& name : chains.ipsets) {
    if (kernel.find_set(name)) observed.state.ipsets.push_back(name);
  }
  return observed;
}

}  // namespace plumbline::engine
