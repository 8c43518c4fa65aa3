// Routes of every table: ip-route(8).
//
// Cached and cloned routes are not observed. Routes of protocol `kernel` are, as they say which
// networks are reachable, and are never ours.

#pragma once

#include <array>
#include <compare>

#include "plumbline/kinds/kind.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline {

/// The types of ip-route(8) that a spec may name, and `other` for what it may not.
enum class RouteType : std::uint8_t { unicast, local, blackhole, unreachable, prohibit, other };

[[nodiscard]] std::string_view format(RouteType type);

/// RTNH_F_DEAD: the link of a nexthop is down, or has lost its last IPv4 address
/// (fib_sync_down_dev() in net/ipv4/fib_semantics.c). Only observed, and no part of what a nexthop
/// is: it comes and goes with the link, and matters only to what else the kernel will take along.
struct Deadness {
  bool dead = false;

  constexpr bool operator==(const Deadness&) const { return true; }
  constexpr std::strong_ordering operator<=>(const Deadness&) const {
    return std::strong_ordering::equal;
  }
};

struct Nexthop {
  std::optional<IpAddress> via;
  std::optional<IfName> dev;
  std::uint32_t weight = 1;  ///< 1..256
  bool onlink = false;
  Deadness observed = {};

  auto operator<=>(const Nexthop&) const = default;
};

struct Route {
  static constexpr std::string_view kind_name = "route";
  static constexpr Disruption loss = Disruption::traffic;
  static constexpr Asked asked = Asked::whole;
  static constexpr std::string_view section = "routes";
  static constexpr std::array<std::string_view, 5> in_key{"to", "table", "metric", "tos", "family"};
  static constexpr bool is_adoptable = true;
  static constexpr bool may_be_split = true;
  static constexpr bool replaces_the_first = true;
  /// As the kernel tells routes apart: IPv4 (table, destination, tos, metric), IPv6 (table,
  /// destination, metric). A metric of 0 is IPv6's way to ask for 1024, and from_spec() makes it
  /// so; what the kernel shows with 0 are its own routes to local addresses.
  struct Key {
    Family family = Family::inet;
    TableId table;
    Prefix to;
    std::uint32_t metric = 0;
    std::uint8_t tos = 0;

    auto operator<=>(const Key&) const = default;
  };

  TableId table;
  Prefix to;
  std::uint32_t metric = 0;  ///< as the kernel shows it: a wanted IPv6 route never has 0
  std::uint8_t tos = 0;      ///< IPv4 only
  RouteType type = RouteType::unicast;
  std::uint8_t protocol = 0;      ///< rtm_protocol
  std::uint8_t scope = 0;         ///< rtm_scope; 0 (global) always for IPv6
  std::vector<Nexthop> nexthops;  ///< sorted; empty for the types that go nowhere
  std::optional<IpAddress> src;
  std::uint32_t mtu = 0;     ///< 0: none
  std::uint32_t advmss = 0;  ///< 0: none
  /// It has attributes beyond these (an encapsulation, a window, a nexthop object, …). Never
  /// wanted, so on a route of ours it is drift.
  bool has_more = false;

  bool operator==(const Route&) const = default;
  [[nodiscard]] Family family() const { return to.family(); }

  /// All routes of a family, or those to addresses of the host itself in the table `local`.
  static wire::Request query(Family family);
  static wire::Request local_query(Family family);
  /// What is to be told of a dump that ends at a route too large for it.
  static std::string cut_off();
  static std::vector<wire::Request> queries(const Scope& scope);
  static void decode(const wire::Request& request, const wire::Reply& reply, const LinkNames& links,
                     std::vector<Route>& out);
  /// An element of `routes`.
  static std::optional<Route> from_spec(const wire::Entry& entry);
};

[[nodiscard]] Route::Key key(const Route& route);
/// `route inet main 10.9.0.0/16 metric 100`; the destination of all is `default`.
[[nodiscard]] std::string format(const Route::Key& key);
[[nodiscard]] std::vector<Need> needs(const Route& route);
[[nodiscard]] bool is_marked(const Route& route, const Mark& mark);
[[nodiscard]] constexpr Stage stage(const Route& /*route*/) { return Stage::route; }
[[nodiscard]] Route with_mark(Route route, const Mark& mark);
[[nodiscard]] Route complete(Route want, const Route& have);
/// Always an update: the kernel replaces whatever has the identity, for IPv6 all siblings along
/// with it (net/ipv6/ip6_fib.c, fib6_add_rt2node()). It takes the first of that identity whoever
/// made it, so nothing may be updated while somebody else's route shares its key.
[[nodiscard]] Transition transition(const Route& have, const Route& want);
[[nodiscard]] std::vector<wire::Request> create(const Route& route, const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> update(const Route& have, const Route& want,
                                                const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> remove(const Route& route, const LinkNames& links);
[[nodiscard]] boost::json::value to_spec(const Route& route);

/// Of protocol `kernel`: it comes and goes with an address.
[[nodiscard]] bool comes_by_itself(const Route& route);
template <class To>
void provide(const Route& route, To& to) {
  // An address provides the network of its route itself.
  if (route.type != RouteType::unicast || comes_by_itself(route)) return;
  for (const Nexthop& nexthop : route.nexthops) {
    if (!nexthop.via && nexthop.dev) to.network(*nexthop.dev, route.table, route.to);
  }
}
[[nodiscard]] inline bool goes_on_providing(const Route& have, const Route& after) {
  return have.type == after.type && have.nexthops == after.nexthops;
}
/// IPv6 refuses a source while duplicate address detection runs for it (ip6_route_info_create() in
/// net/ipv6/route.c): for a second or two after it was added.
[[nodiscard]] bool may_come_right(const Route& route, int error);

static_assert(ResourceKind<Route>);

}  // namespace plumbline
