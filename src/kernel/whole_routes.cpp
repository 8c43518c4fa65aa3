#include "plumbline/kernel/whole_routes.hpp"

#include <algorithm>
#include <optional>

namespace plumbline::kernel {

namespace {

std::vector<IfName> links_down(const State& state) {
  std::vector<IfName> names;
  for (const Link& link : state.of<Link>()) {
    if (!link.up.value_or(false)) names.push_back(link.name);
  }
  std::ranges::sort(names);
  return names;
}

/// The last that the kernel makes a route for in the table `local`, which is listed after all
/// others (inet_dump_fib() in net/ipv4/fib_frontend.c and inet6_dump_fib() go by the lowest byte of
/// a table's number, and within a table by destination).
std::optional<Prefix> last_local(const State& state, Family family) {
  const std::vector<IfName> down = links_down(state);
  std::optional<IpAddress> last;
  for (const Address& address : state.of<Address>()) {
    const IpAddress& local = address.local.address;
    if (local.family() != family || (last && local < *last)) continue;
    if (!std::ranges::binary_search(down, address.link)) last = local;
  }
  if (!last) return std::nullopt;
  return Prefix::masking(*last, static_cast<std::uint8_t>(address_bits(family)));
}

bool has_local(const std::vector<Route>& routes, const Prefix& to) {
  return std::ranges::any_of(
      routes, [&](const Route& route) { return route.table == local_table && route.to == to; });
}

std::vector<Route> routes_of(const Ask& ask, const wire::Request& query, const LinkNames& links) {
  std::vector<Route> routes;
  Route::decode(query, ask(query), links, routes);
  return routes;
}

/// What is said of where the list ends: the route that follows is the one that is too large.
std::string behind_the_last(const std::vector<Route>& routes, Family family) {
  const auto last = std::ranges::find(routes.rbegin(), routes.rend(), family, &Route::family);
  if (last == routes.rend()) return "before its first route";
  return "behind '" + format(key(*last)) + "'";
}

std::string cut_off(const State& have, const LinkNames& links, Family family, const Ask& ask) {
  const std::optional<Prefix> last = last_local(have, family);
  if (!last || has_local(have.of<Route>(), *last)) return {};
  // Removed by hand, not there yet, in the table of a VRF, or cut off: local routes alone tell.
  if (!has_local(routes_of(ask, Route::local_query(family), links), *last)) return {};
  const std::vector<Route> again = routes_of(ask, Route::query(family), links);
  if (has_local(again, *last)) return {};
  return "the kernel ends its list of " + std::string(format(family)) + " routes " +
         behind_the_last(again, family) + ": " + Route::cut_off();
}

}  // namespace

std::string cut_off_routes(const State& have, const LinkNames& links, const Ask& ask) {
  std::string words = cut_off(have, links, Family::inet, ask);
  return words.empty() ? cut_off(have, links, Family::inet6, ask) : words;
}

}  // namespace plumbline::kernel
