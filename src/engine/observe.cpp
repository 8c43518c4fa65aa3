#include "plumbline/engine/observe.hpp"

#include <linux/rtnetlink.h>

#include <algorithm>

namespace plumbline::engine {

Observed observe(io::Host& host, const Scope& scope) {
  // Several kinds may ask the same: chains and shared chains come from one dump. Links are the
  // first kind, so names are known from the start of the snapshot.
  std::vector<wire::Request> requests;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (wire::Request& query : K::queries(scope)) {
      if (std::ranges::find(requests, query) == requests.end()) {
        requests.push_back(std::move(query));
      }
    }
  });
  const std::vector<wire::Reply> replies = host.exchange(requests);

  Observed observed;
  for (const wire::Reply& reply : replies) {
    if (reply.error == 0 && !reply.message.empty()) observed.warnings.push_back(reply.message);
  }
  const auto reply_to = [&](const wire::Request& query) -> const wire::Reply& {
    const auto it = std::ranges::find(requests, query);
    return replies.at(static_cast<std::size_t>(it - requests.begin()));
  };
  for (const wire::Request& query : Link::queries(scope)) {
    if (std::holds_alternative<wire::NetlinkDump>(query)) {
      observed.links = link_names(reply_to(query));
      break;
    }
  }
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const wire::Request& query : K::queries(scope)) {
      K::decode(query, reply_to(query), observed.links, observed.state.of<K>());
    }
  });
  observed.state.sort();
  return observed;
}

}  // namespace plumbline::engine
