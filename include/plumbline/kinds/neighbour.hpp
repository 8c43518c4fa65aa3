// Entries of the tables of neighbours that stay: whose link-layer address is known for good, and
// for whom this host answers. ip-neighbour(8), `nud permanent` and `proxy`.
//
// What the kernel learns by itself is not seen here.

#pragma once

#include <array>

#include "plumbline/base/mac.hpp"
#include "plumbline/kinds/kind.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline {

struct Neighbour {
  static constexpr std::string_view kind_name = "neighbour";
  static constexpr std::string_view section = "neighbours";
  static constexpr std::array<std::string_view, 3> in_key{"to", "dev", "proxy"};
  static constexpr Disruption loss = Disruption::traffic;
  static constexpr Asked asked = Asked::whole;
  static constexpr bool is_adoptable = true;
  struct Key {
    IfName dev;
    IpAddress to;
    bool proxy = false;

    auto operator<=>(const Key&) const = default;
  };

  IpAddress to;
  IfName dev;
  /// This host answers who asks for the address; no entry of this kind has a link-layer address.
  bool proxy = false;
  std::optional<Mac> lladdr;
  std::optional<bool> router;  ///< it is a router, as IPv6 hosts tell each other
  std::uint8_t protocol = 0;   ///< NDA_PROTOCOL

  /// Only observed: an address that is no MAC, or flags that a spec cannot say.
  bool has_more = false;

  bool operator==(const Neighbour&) const = default;

  static std::vector<wire::Request> queries(const Scope& scope);
  static void decode(const wire::Request& request, const wire::Reply& reply, const LinkNames& links,
                     std::vector<Neighbour>& out);
  /// An element of `neighbours`.
  static std::optional<Neighbour> from_spec(const wire::Entry& entry);
};

[[nodiscard]] Neighbour::Key key(const Neighbour& neighbour);
/// `neighbour 192.0.2.7 dev br0`, `neighbour proxy 192.0.2.7 dev br0`
[[nodiscard]] std::string format(const Neighbour::Key& key);
/// Its link, up: the kernel drops the entries of one that goes down (neigh_ifdown() in
/// net/core/neighbour.c).
[[nodiscard]] std::vector<Need> needs(const Neighbour& neighbour);
[[nodiscard]] bool is_marked(const Neighbour& neighbour, const Mark& mark);
[[nodiscard]] constexpr Stage stage(const Neighbour& /*neighbour*/) { return Stage::address; }
[[nodiscard]] Neighbour with_mark(Neighbour neighbour, const Mark& mark);
[[nodiscard]] Neighbour complete(Neighbour want, const Neighbour& have);
[[nodiscard]] Transition transition(const Neighbour& have, const Neighbour& want);
[[nodiscard]] std::vector<wire::Request> create(const Neighbour& neighbour, const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> update(const Neighbour& have, const Neighbour& want,
                                                const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> remove(const Neighbour& neighbour, const LinkNames& links);
[[nodiscard]] boost::json::value to_spec(const Neighbour& neighbour);
[[nodiscard]] std::string why_not_adoptable(const Neighbour& neighbour);
[[nodiscard]] std::string why_not_in_spec(const Neighbour& neighbour);

static_assert(ResourceKind<Neighbour>);

}  // namespace plumbline
