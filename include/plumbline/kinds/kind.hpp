// What every resource kind is made of.
//
// A kind is a value type and a set of functions over it, checked by the concept below with a
// static_assert in each kind's header. A kind does no I/O: it translates between the spec, our
// value and the kernel's bytes, says what it needs, and how one value becomes another. Adding one
// is a header, a source, its tests and a line in state/state.hpp.

#pragma once

#include <boost/json/fwd.hpp>
#include <concepts>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "plumbline/base/ip.hpp"
#include "plumbline/base/link_names.hpp"
#include "plumbline/base/table.hpp"
#include "plumbline/wire/request.hpp"

namespace plumbline {

// ---- needs: what must be there before a value can be -------------------------------------------

/// A link of that name, and `up` if asked.
struct NeedsLink {
  IfName name;
  bool up = false;

  auto operator<=>(const NeedsLink&) const = default;
};

/// A network on `dev` (on any link when not given) that holds the gateway.
struct NeedsGateway {
  IpAddress via;
  std::optional<IfName> dev;
  TableId table;

  auto operator<=>(const NeedsGateway&) const = default;
};

/// An address of the host itself, to be used as a source. IPv6 and IPv4 alike: on any link.
struct NeedsAddress {
  IpAddress address;

  auto operator<=>(const NeedsAddress&) const = default;
};

struct NeedsChain {
  Family family = Family::inet;
  std::string table;
  std::string name;

  auto operator<=>(const NeedsChain&) const = default;
};

/// An ipset of that name, of whatever type.
struct NeedsSet {
  std::string name;

  auto operator<=>(const NeedsSet&) const = default;
};

using Need = std::variant<NeedsLink, NeedsGateway, NeedsAddress, NeedsChain, NeedsSet>;

/// The names of chains, to tell them from other targets of rules.
using ChainNames = std::set<NeedsChain>;

/// What a blocked object waits for, in the words of keys: `link eth9`, `link eth9 up`,
/// `address 192.0.2.1`, `a network with 192.0.2.1 on eth0`, `chain inet filter DOCKER-USER`,
/// `ipset banned`.
[[nodiscard]] std::string format(const Need& need);

/// Takes what an object provides to others, each of it what a need asks for. Only declared: it says
/// what provide() may call.
struct Provision {
  void link(const IfName& name, bool up);
  void address(const IpAddress& address);
  /// Reached on `dev` without a gateway, for lookups in `table`; as long as `dev` is up.
  void network(const IfName& dev, TableId table, const Prefix& network);
  void chain(const NeedsChain& chain);
};

// ---- transitions: how one value becomes another -------------------------------------------------

/// What suffers, from nothing to everything that passes. Ordered.
enum class Disruption : std::uint8_t { nothing, counters, sessions, traffic };

[[nodiscard]] std::string_view format(Disruption disruption);

enum class Change : std::uint8_t { none, update, replace };

struct Transition {
  Change change = Change::none;
  Disruption disrupts = Disruption::nothing;
  /// Not empty: cannot be done now, and this says what has to happen first.
  std::string blocked_until = {};

  bool operator==(const Transition&) const = default;
};

// ---- when --------------------------------------------------------------------------------------

/// What a plan makes first among the steps that are ready, and unmakes last.
enum class Stage : std::uint8_t {
  guard,   ///< chains: a plan puts them before or after all else
  sysctl,  ///< of no link
  link,
  link_sysctl,
  tunnel,
  address,
  route,
  rule,
};

/// How a kind is asked for when a host is observed.
enum class Asked : std::uint8_t {
  first,     ///< links: names are known from the start of the snapshot
  by_name,   ///< each by a question of its own, once links are known: Scope::tunnels
  whole,     ///< always, all there is
  in_scope,  ///< what Scope names
};

// ---- marks --------------------------------------------------------------------------------------

/// What tells our objects from everybody else's in the kernel.
struct Mark {
  /// Of routes (rtm_protocol), policy rules (FRA_PROTOCOL), addresses (IFA_PROTO) and neighbours
  /// (NDA_PROTOCOL).
  std::uint8_t protocol = 112;
};

/// What to look at. Links and all that is asked for whole (Asked) are always observed.
struct Scope {
  std::vector<std::string> sysctls;  ///< paths with slashes
  std::vector<IfName> tunnels = {};  ///< the links of kind `wireguard` that there are
};

// ---- the concept --------------------------------------------------------------------------------

/// For every kind K and values `have`, `want` of it:
///
/// - `K::kind_name`: the first word of its keys.
/// - `key(k)`: what the kernel uses to tell two objects apart; ordered. `format(key)`: its text,
///   the same in plans, logs and `adopt`.
/// - `needs(k)`: what must be there first.
/// - `is_marked(k, mark)`: whether it carries our mark.
/// - `with_mark(k, mark)`: the same value carrying it.
/// - `complete(want, have)`: `want` with everything the spec left open taken from `have`. After it
///   plain == decides whether anything is to do.
/// - `transition(have, want)`: how to get there; `want` is completed.
/// - `create(k, links)`, `update(have, want, links)`, `remove(k, links)`: the requests. Every link
///   that needs() names is in `links` when they are called.
/// - `stage(k)`: when it is made. `K::loss`: what suffers when one is removed.
/// - `K::asked`: how it is asked for.
/// - `to_spec(k)`: a boost::json::value, as the spec would write it. (Not checked here: the type
///   is only declared in headers, as it is slow to compile.)
/// - `K::queries(scope)` and `K::decode(request, reply, links, out)`: how it is observed. Values of
///   everybody are decoded, not only ours. decode() throws wire::Malformed.
///
/// A kind may have more, where the default does not fit it:
///
/// - `K::section`: the array of the spec that its values are elements of; `K::from_spec(entry)`
///   reads one. Else spec/decode.cpp and spec/compose.cpp have to know its place.
/// - `is_made_before(key, other)`: the order among steps of its stage; it is unmade the other way
///   round. Else both go by key.
/// - `is_taken_down(have, want)`: a change in place that is due when things are removed.
/// - `K::is_adoptable`: `adopt` takes it over by with_mark(). `why_not_adoptable(k)`: why not this
///   one, as far as it tells by itself; empty when nothing is against it.
/// - `K::in_key`: members of to_spec() that the key says too; `K::key_says_all`: it says all there
///   is to say of a new one. A plan does not repeat them.
/// - `why_not_in_spec(k)`: why a spec cannot say what is there; empty when it can.
/// - `K::why_not_adopted`: instead of `K::is_adoptable`, what to do rather, as the end of a
///   sentence that begins with the key.
/// - `adopted(k, mark)`: what it is once it was adopted; else with_mark().
///
/// Whose it is, and who else has to do with it:
///
/// - `is_only_set(k)`: it stays whoever's it is. A spec sets it, and it is put back as it was.
/// - `is_ours_when_wanted(k)`: one without a mark that becomes ours once a spec names it.
/// - `K::replaces_the_first`: a change in place is of the first of its key, whosever that is.
/// - `provide(k, to)`: what others need it for: one call of `to` for each, see Provision.
///   `is_up(k)`: whether it can be used; else it can whenever it is there.
/// - `K::needed_by_name`: it goes on providing while it is there; else
///   `goes_on_providing(have, after)` says so of a change in place.
/// - `needs_among(k, chains, add)`: what more it needs, told only by the names of `chains`.
/// - `partner(k)`: the key of the object of its kind that it comes and goes with; `is_partner(k,
///   other)`: that is still it. `acts_for_both(k)`: the requests for both are this one's.
/// - `identity(k)`, `exclude_each_other(k, other)`: what no two of the kind can have at a time.
/// - `foreign_part(k)`: what of others would go with it, in words; empty where nothing would.
/// - `holder(k)`: the link that may let go of it, and leave `released(k)`.
/// - `K::is_setting`: always there, and only ever written; the kernel may change it along with
///   another one. `read_request(k)`: asks for the value it has.
///
/// How it is changed:
///
/// - `K::may_be_split`: where a change in place cannot be, it may be removed and made again.
/// - `gradually(have, want, going)`: of stage guard, when its changes are due.
/// - `unmake(k, links)`: takes back that it was made; else remove().
/// - `may_come_right(k, error)`: the kernel may take a while later what it has refused.
/// - `holds_where_absent(k)`: that it is not there is as good.
/// - `names_link(key)`: the link of that name is another one, or none, once it is made or removed.
/// - `is_of_table(key)`: `key.family` and `key.table` are those of the firewall's table it is in.
/// - `goes_with_its_group(k)`: many of them are removed at a time (kinds/link_group.hpp).
///
/// How it is put back after a failure:
///
/// - `comes_by_itself(k)`: the kernel makes it again, or again a little later.
/// - `with_finished_mark(before, now)`: a mark that was finished meanwhile stays so.
/// - `is_back(before, now)`: it is as before; else what complete() says.
/// - `may_be_of_ours(k)`: something of it may be ours beside what is_marked() says.
/// - `bare(k)`: what is left where only what is ours is taken away; else it is removed.
template <class K>
concept ResourceKind = std::equality_comparable<K> && std::totally_ordered<typename K::Key> &&
    requires(const K& k, const K& other, const Mark& mark, const LinkNames& links,
             const typename K::Key& key_value, const wire::Request& request,
             const wire::Reply& reply, std::vector<K>& out, const Scope& scope) {
  { K::kind_name } -> std::convertible_to<std::string_view>;
  { key(k) } -> std::same_as<typename K::Key>;
  { format(key_value) } -> std::same_as<std::string>;
  { needs(k) } -> std::same_as<std::vector<Need>>;
  { is_marked(k, mark) } -> std::same_as<bool>;
  { with_mark(k, mark) } -> std::same_as<K>;
  { complete(k, other) } -> std::same_as<K>;
  { transition(k, other) } -> std::same_as<Transition>;
  { create(k, links) } -> std::same_as<std::vector<wire::Request>>;
  { update(k, other, links) } -> std::same_as<std::vector<wire::Request>>;
  { remove(k, links) } -> std::same_as<std::vector<wire::Request>>;
  { stage(k) } -> std::same_as<Stage>;
  { K::loss } -> std::convertible_to<Disruption>;
  { K::asked } -> std::convertible_to<Asked>;
  { K::queries(scope) } -> std::same_as<std::vector<wire::Request>>;
  K::decode(request, reply, links, out);
};

/// Others may need it.
template <class K>
concept Provides = requires(const K& k, Provision& to) {
  provide(k, to);
};

}  // namespace plumbline
