// Network interfaces: those we make, and the physical ones that are only configured.
//
// A link's bridge port settings are part of it. Its addresses are a kind of their own. A link that
// the spec calls `physical` is never created, deleted or marked: only its settings are set, and the
// engine's ledger remembers what they were.

#pragma once

#include "plumbline/base/mac.hpp"
#include "plumbline/kinds/kind.hpp"
#include "plumbline/kinds/link_options.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline {

/// The kinds of ip-link(8) that a spec may name. `physical` is any link the kernel has, and what a
/// link without IFLA_INFO_KIND is; `other` is a kind this list does not know.
enum class LinkKind : std::uint8_t {
  physical,
  bridge,
  tap,
  tun,
  veth,
  vxlan,
  ifb,
  dummy,
  vlan,
  bond,
  vrf,
  macvlan,
  ipvlan,
  geneve,
  gre,
  gretap,
  ipip,
  sit,
  wireguard,
  other,
};

[[nodiscard]] std::string_view format(LinkKind kind);

/// IPV6_MIN_MTU: below it the kernel takes IPv6 away from a link (net/ipv6/addrconf.c).
inline constexpr std::uint32_t least_ipv6_mtu = 1280;

/// The alternative names of a link. Only observed, and no part of what a link is: they matter to
/// other links, none of which can have one of them for its name.
struct Altnames {
  std::vector<std::string> names;

  bool operator==(const Altnames&) const { return true; }
};

struct Link {
  static constexpr std::string_view kind_name = "link";
  static constexpr Disruption loss = Disruption::traffic;
  static constexpr Asked asked = Asked::first;
  static constexpr bool is_adoptable = true;
  static constexpr bool needed_by_name = true;
  static constexpr bool may_be_split = true;
  struct Key {
    IfName name;

    auto operator<=>(const Key&) const = default;
  };

  IfName name;
  LinkKind kind = LinkKind::physical;
  /// Wanted side: what is not set is not managed. Observed side: all set, but for `master`, where
  /// nothing means none, and for the options of other kinds.
  std::optional<bool> up;
  std::optional<std::uint32_t> mtu;
  std::optional<Mac> mac;
  std::optional<IfName> master;
  std::optional<std::uint32_t> tx_queue_length;
  /// The user's part of IFLA_IFALIAS, behind our mark. Nothing on the observed side: ours, but cut
  /// off before it had its alias, which update() finishes.
  std::optional<std::string> alias;
  /// Which guest of a network a TAP of ours is for, and what that guest was given: text without `;`
  /// between our mark and the user's alias. spec/assignments.hpp knows what it says. On an adopted
  /// bridge it is note_of_mac(); empty on every other link.
  std::string assignment;
  std::optional<BridgeOptions> bridge;
  std::optional<TapOptions> tap;
  std::optional<VethOptions> veth;
  std::optional<VxlanOptions> vxlan;
  /// Of kinds whose options are a table: one for each of these, in their order
  /// (src/kinds/link/option_table.hpp).
  std::vector<std::optional<std::uint64_t>> options = {};
  /// The link that one of such a kind is laid over.
  std::optional<IfName> device = {};
  std::optional<PortSettings> port;

  /// IFLA_IFALIAS starts with our mark, or IFLA_GROUP is a number of ours: src/kinds/link/mark.hpp.
  bool marked = false;

  // ---- only observed, never wanted: complete() takes them over
  std::optional<bool> carrier;  ///< of a TAP: somebody holds it open
  std::optional<bool>
      promote_secondaries;        ///< the effective value of the sysctl, all or the link's
  std::optional<bool> has_qdisc;  ///< a root qdisc other than the kernel's default ones
  Altnames altnames;

  bool operator==(const Link&) const = default;

  /// The first is the dump that link_names() reads; the others add to what decode() made of it.
  static std::vector<wire::Request> queries(const Scope& scope);
  static void decode(const wire::Request& request, const wire::Reply& reply, const LinkNames& links,
                     std::vector<Link>& out);
  /// A member of `links`: the key is the name. Nothing when the entry cannot become a link;
  /// `addresses` is left to Address::from_spec.
  static std::optional<Link> from_spec(const wire::Entry& entry);
};

/// IFLA_GROUP of the TAPs of networks' guests, for good: what one of them gives the host itself,
/// instead of its bridge, is told by it. Others of ours are in group 0.
inline constexpr std::uint32_t guest_group = 0x504c4d53;
/// Whether it is a TAP of a network's guest.
[[nodiscard]] bool is_of_guest(const Link& link);

/// As the master of a link that is to be put back: it had none. Never observed.
inline const IfName in_no_bridge;

[[nodiscard]] Link::Key key(const Link& link);
[[nodiscard]] std::string format(const Link::Key& key);
/// Its master, the link it is laid over, and of a veth pair the end that makes both for the other
/// one.
[[nodiscard]] std::vector<Need> needs(const Link& link);
[[nodiscard]] bool is_marked(const Link& link, const Mark& mark);
[[nodiscard]] constexpr Stage stage(const Link& /*link*/) { return Stage::link; }
[[nodiscard]] Link with_mark(Link link, const Mark& mark);
/// A `physical` link becomes of the kind that is there. A link that has to be replaced takes
/// nothing over, as the kernel forgets it.
[[nodiscard]] Link complete(Link want, const Link& have);
[[nodiscard]] Transition transition(const Link& have, const Link& want);
/// A veth pair is made by the one of its two ends whose name sorts first; the other end's create()
/// only configures it, and its remove() asks for nothing. The requests behind the first name a link
/// that it makes: none of them may be sent when it failed, as it could be somebody else's.
[[nodiscard]] std::vector<wire::Request> create(const Link& link, const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> update(const Link& have, const Link& want,
                                                const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> remove(const Link& link, const LinkNames& links);
/// It goes down.
[[nodiscard]] bool is_taken_down(const Link& have, const Link& want);
[[nodiscard]] boost::json::value to_spec(const Link& link);

/// Whether a spec can want such a link to be made.
[[nodiscard]] bool can_be_made(LinkKind kind);

/// Whether IFLA_IFALIAS has room for the alias and the note of the link behind our mark.
[[nodiscard]] bool has_room_for_mark(const Link& link);

/// In place of an assignment, on a bridge that was adopted: the MAC that its network keeps, as the
/// guests know it, instead of one made from its name. Noting it sets it, for a bridge follows its
/// ports until it is given one (br_stp_recalculate_bridge_id() in net/bridge/br_stp_if.c).
[[nodiscard]] std::string note_of_mac(const Mac& mac);
[[nodiscard]] std::optional<Mac> noted_mac(const Link& bridge);

/// The other end of a veth pair; nothing when that is in another network namespace.
[[nodiscard]] std::optional<IfName> peer_here(const Link& link);
/// Whether this end of a veth pair is the one whose create() and remove() act on both.
[[nodiscard]] bool makes_the_pair(const Link& veth);
/// What the traits of kind.hpp say of a pair.
[[nodiscard]] std::optional<Link::Key> partner(const Link& link);
[[nodiscard]] bool is_partner(const Link& link, const Link& other);
[[nodiscard]] inline bool acts_for_both(const Link& link) { return makes_the_pair(link); }
/// Forgets what it has as a link of its kind, which becomes `physical`.
void make_physical(Link& link);

/// The link that this one is laid over, and goes with: the device of a VXLAN.
[[nodiscard]] std::optional<IfName> lower_link(const Link& link);

/// A `physical` one.
[[nodiscard]] constexpr bool is_only_set(const Link& link) {
  return link.kind == LinkKind::physical;
}
template <class To>
void provide(const Link& link, To& to) {
  to.link(link.name, link.up.value_or(false));
}
[[nodiscard]] constexpr bool is_up(const Link& link) { return link.up.value_or(false); }
/// Its qdisc.
[[nodiscard]] std::string foreign_part(const Link& link);
/// The bridge it is a port of, and it without that.
[[nodiscard]] constexpr const std::optional<IfName>& holder(const Link& link) {
  return link.master;
}
[[nodiscard]] Link released(Link port);
[[nodiscard]] constexpr const IfName& names_link(const Link::Key& key) { return key.name; }
/// An adopted bridge keeps its MAC.
[[nodiscard]] Link adopted(Link link, const Mark& mark);
/// Nobody takes a mark back, and undoing has no need to.
[[nodiscard]] Link with_finished_mark(Link before, const Link& now);
[[nodiscard]] bool is_back(const Link& before, const Link& now);

/// What no two links have in common, though their names differ.
struct LinkIdentity {
  std::string value;        ///< `vxlan 42 4789`
  std::string_view what;    ///< in words: `a VXLAN of this id and port`
  std::string_view member;  ///< of the kind's options in the spec that says most of it
};
/// Nothing for links of which there may be any number.
[[nodiscard]] std::optional<LinkIdentity> identity(const Link& link);
/// Whether the kernel refuses to have both at once: their identity is one.
[[nodiscard]] bool exclude_each_other(const Link& one, const Link& other);

/// The first of Link::queries().
[[nodiscard]] wire::Request links_query();
/// Names and indexes out of the reply to the first of Link::queries().
[[nodiscard]] LinkNames link_names(const wire::Reply& reply);

static_assert(ResourceKind<Link>);

}  // namespace plumbline
