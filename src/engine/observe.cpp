#include "plumbline/engine/observe.hpp"

#include <algorithm>

#include "plumbline/firewall/observe/saved.hpp"
#include "plumbline/kernel/by_link.hpp"
#include "plumbline/kernel/whole_routes.hpp"

namespace plumbline::engine {

namespace {

/// Several kinds may ask the same. No kind asks anything twice, and one may ask for thousands of
/// things.
template <Asked when>
void observe_kinds(io::Host& host, const Scope& scope, Observed& observed) {
  std::vector<wire::Request> requests;
  std::vector<std::size_t> places;  // of each kind's queries, one after the other
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if (K::asked != when) return;
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

  // The first kind says the names, so that they are known from the start of the snapshot.
  if constexpr (when == Asked::first) observed.links = link_names(replies.front());
  for (const wire::Reply& reply : replies) {
    if (reply.error == 0 && !reply.message.empty()) observed.warnings.push_back(reply.message);
  }
  auto place = places.begin();
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if (K::asked != when) return;
    for (const wire::Request& query : K::queries(scope)) {
      K::decode(query, replies.at(*place++), observed.links, observed.state.of<K>());
    }
  });
}

}  // namespace

Observed look_around(io::Host& host) {
  Observed observed;
  observe_kinds<Asked::first>(host, Scope(), observed);
  observe_kinds<Asked::by_name>(host, kernel::named_by_links(observed.state), observed);
  kernel::mark_as_links(observed.state);
  observe_kinds<Asked::whole>(host, Scope(), observed);
  const auto ask = [&](const wire::Request& request) {
    return host.exchange(std::span(&request, 1)).front();
  };
  const std::string fault = kernel::cut_off_routes(observed.state, observed.links, ask);
  if (!fault.empty()) throw io::HostError(fault);
  observed.state.sort();
  return observed;
}

Observed observe(io::Host& host, firewall::Ruleset& ruleset, bool nft, Scope scope,
                 const firewall::ChainScope& chains, Observed around) {
  Observed observed = std::move(around);
  observe_kinds<Asked::in_scope>(host, scope, observed);
  for (const Family family : {Family::inet, Family::inet6}) {
    if (firewall::uses_nft(family, nft)) continue;
    std::string warning = firewall::observe_saved(host, family, observed.state);
    if (!warning.empty()) observed.warnings.push_back(std::move(warning));
  }
  observed.state.sort();
  ruleset.observe(host, chains.chains, nft, observed.state);
  if (ruleset.is_torn()) observed.warnings.emplace_back(rules_change);
  if (nft) {
    const std::vector<wire::Request> looks{wire::FirewallRivals{Family::inet},
                                           wire::FirewallRivals{Family::inet6}};
    for (const wire::Reply& reply : host.exchange(looks)) {
      if (!reply.message.empty()) observed.warnings.push_back(reply.message);
    }
  }
  firewall::Nfnetlink kernel(host);
  for (const std::string& name : chains.ipsets) {
    if (kernel.find_set(name)) observed.state.ipsets.push_back(name);
  }
  return observed;
}

}  // namespace plumbline::engine
