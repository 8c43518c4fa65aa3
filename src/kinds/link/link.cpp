#include "plumbline/kinds/link.hpp"

#include <algorithm>
#include <array>

#include "mark.hpp"
#include "type.hpp"

namespace plumbline {

std::string_view format(LinkKind kind) {
  constexpr std::array<std::string_view, 20> names{
      "physical", "bridge", "tap",  "tun", "veth",      "vxlan",  "ifb",
      "dummy",    "vlan",   "bond", "vrf", "macvlan",   "ipvlan", "geneve",
      "gre",      "gretap", "ipip", "sit", "wireguard", "other"};
  static_assert(names.size() == static_cast<std::size_t>(LinkKind::other) + 1);
  return names.at(static_cast<std::size_t>(kind));
}

Link::Key key(const Link& link) { return {link.name}; }

std::string format(const Link::Key& key) { return "link " + format(key.name); }

bool is_of_guest(const Link& link) {
  return link.kind == LinkKind::tap && !link.assignment.empty();
}

std::optional<IfName> peer_here(const Link& link) {
  if (link.kind != LinkKind::veth || !link.veth || link.veth->peer_netns) return std::nullopt;
  return link.veth->peer;
}

bool makes_the_pair(const Link& veth) {
  const auto peer = peer_here(veth);
  return !peer || veth.name < *peer;
}

std::optional<Link::Key> partner(const Link& link) {
  const auto peer = peer_here(link);
  if (!peer) return std::nullopt;
  return Link::Key{*peer};
}

bool is_partner(const Link& link, const Link& other) {
  return peer_here(link) == other.name && link.kind == other.kind;
}

std::string foreign_part(const Link& link) {
  return link.has_qdisc.value_or(false) ? "a queueing discipline" : "";
}

Link released(Link port) {
  port.master.reset();
  port.port.reset();
  return port;
}

Link adopted(Link link, const Mark& mark) {
  Link ours = with_mark(std::move(link), mark);
  if (!ours.alias) ours.alias = "";
  if (ours.kind == LinkKind::bridge && ours.mac) ours.assignment = note_of_mac(*ours.mac);
  return ours;
}

Link with_finished_mark(Link before, const Link& now) {
  const bool is_unfinished = before.marked && !before.alias;
  if (!is_unfinished || !now.marked || !now.alias) return before;
  before.alias = now.alias;
  before.assignment = now.assignment;
  return before;
}

bool is_back(const Link& before, const Link& now) {
  Link full = complete(with_finished_mark(before, now), now);
  if (!before.alias && !now.alias) full.alias.reset();  // unfinished then and now
  return full == now;
}

wire::Request links_query() { return Link::queries({}).front(); }

void make_physical(Link& link) {
  link.kind = LinkKind::physical;
  link.bridge.reset();
  link.tap.reset();
  link.veth.reset();
  link.vxlan.reset();
  link.options.clear();
  link.device.reset();
}

std::optional<IfName> lower_link(const Link& link) {
  return detail::type_of(link.kind).lower(link);
}

std::optional<LinkIdentity> identity(const Link& link) {
  return detail::type_of(link.kind).identity(link);
}

bool exclude_each_other(const Link& one, const Link& other) {
  if (one.name == other.name || one.kind != other.kind) return false;
  const auto of_one = identity(one);
  const auto of_other = identity(other);
  return of_one && of_other && of_one->value == of_other->value;
}

std::vector<Need> needs(const Link& link) {
  std::vector<Need> needs;
  if (link.master) needs.emplace_back(NeedsLink{*link.master});
  if (const auto own = detail::type_of(link.kind).needs(link)) needs.emplace_back(*own);
  return needs;
}

// ---- marks --------------------------------------------------------------------------------------

bool is_marked(const Link& link, const Mark& /*mark*/) { return link.marked; }

Link with_mark(Link link, const Mark& /*mark*/) {
  link.marked = link.kind != LinkKind::physical;
  return link;
}

std::string detail::alias_text(const Link& link) {
  const std::string user = link.alias.value_or("");
  return link.marked ? std::string(detail::alias_mark) + link.assignment + ';' + user : user;
}

std::pair<std::uint32_t, std::string> detail::unfinished_mark(const Link& link) {
  if (link.assignment.empty()) return {detail::unfinished_group, {}};
  return {detail::first_leaving_group, detail::alias_text(link)};
}

bool has_room_for_mark(const Link& link) {
  Link marked = link;
  marked.marked = true;
  return detail::alias_text(marked).size() <= detail::longest_alias;
}

void detail::read_mark(Link& link, std::string_view alias, std::uint32_t group, bool speaks_arp) {
  const bool leaving = group >= detail::first_leaving_group && group <= detail::last_leaving_group;
  const bool in_group_of_taps = link.kind == LinkKind::tap && group == guest_group;
  // What no spec can make we have not made, whoever wrote our mark there.
  link.marked =
      link.kind != LinkKind::physical && (alias.starts_with(detail::alias_mark) ||
                                          group == detail::unfinished_group || in_group_of_taps);
  if (!link.marked) {
    link.alias = alias;
    return;
  }
  if (!alias.starts_with(detail::alias_mark)) return;
  alias.remove_prefix(detail::alias_mark.size());
  const auto end = alias.find(';');
  if (end == alias.npos) return;
  link.assignment = alias.substr(0, end);
  const bool is_finished = is_of_guest(link) ? group == guest_group && !speaks_arp : !leaving;
  if (is_finished) link.alias = alias.substr(end + 1);
}

namespace {

constexpr std::string_view mac_note = "mac ";

}  // namespace

std::string note_of_mac(const Mac& mac) { return std::string(mac_note) + format(mac); }

std::optional<Mac> noted_mac(const Link& bridge) {
  const std::string_view note = bridge.assignment;
  if (bridge.kind != LinkKind::bridge || !note.starts_with(mac_note)) return std::nullopt;
  return Mac::parse(note.substr(mac_note.size()));
}

// ---- how one value becomes another --------------------------------------------------------------

namespace {

/// What a link is from its making on, and cannot be given later.
bool is_another(const Link& have, const Link& want) {
  if (want.kind == LinkKind::physical) return false;
  if (want.kind != have.kind) return true;
  return detail::type_of(want.kind).is_another(have, want);
}

/// Joining a bridge resets the settings of the port: what the spec leaves open is open then.
void complete_port(Link& want, const Link& have) {
  if (want.master != have.master) return;
  detail::take(want.port, have.port);
  if (want.port && have.port) detail::complete(*want.port, *have.port);
}

Disruption disruption(const Link& have, const Link& want) {
  Disruption worst = detail::type_of(want.kind).disruption(have, want);
  const auto at_least = [&](Disruption other) { worst = std::max(worst, other); };
  if (have.up == true && want.up == false) at_least(Disruption::traffic);
  if (have.master != want.master) at_least(Disruption::traffic);
  // The guest has the address or the MAC from before until it is told.
  if (is_of_guest(have) && have.assignment != want.assignment) {
    at_least(Disruption::traffic);
  }
  // Neighbours keep the old address for a while, but nobody has that of a guest's TAP; frames of
  // the old size get lost. Drivers of real devices stop and start for a new MTU.
  if (have.mac != want.mac && !is_of_guest(want)) at_least(Disruption::sessions);
  if (have.mtu != want.mtu) {
    at_least(have.kind == LinkKind::physical ? Disruption::traffic : Disruption::sessions);
  }
  if (have.port && want.port && have.port->isolated == false && want.port->isolated == true) {
    at_least(Disruption::traffic);
  }
  return worst;
}

/// The kernel cannot take an owner or a group away again (uid_valid() in drivers/net/tun.c), so
/// that giving one could not be undone. A new TAP can have it from the start.
bool gains_owner(const Link& have, const Link& want) {
  return have.tap && want.tap &&
         ((want.tap->owner && !have.tap->owner) || (want.tap->group && !have.tap->group));
}

std::string obstacle(const Link& have, const Link& want) {
  std::string of_kind = detail::type_of(want.kind).obstacle(have, want);
  if (!of_kind.empty()) return of_kind;
  if (want.port && !have.port && want.master == have.master) {
    return "it is a port of a bridge";
  }
  return {};
}

}  // namespace

Link complete(Link want, const Link& have) {
  if (is_another(have, want)) return want;
  if (want.kind == LinkKind::physical) want.kind = have.kind;
  detail::take(want.up, have.up);
  detail::take(want.mtu, have.mtu);
  detail::take(want.mac, have.mac);
  detail::take(want.master, have.master);
  if (want.master == in_no_bridge) want.master.reset();
  detail::take(want.tx_queue_length, have.tx_queue_length);
  if (!want.alias) want.alias = have.alias.value_or("");
  detail::type_of(want.kind).complete(want, have);
  complete_port(want, have);
  want.carrier = have.carrier;
  want.promote_secondaries = have.promote_secondaries;
  want.has_qdisc = have.has_qdisc;
  return want;
}

bool is_taken_down(const Link& have, const Link& want) {
  return have.up == true && want.up == false;
}

Transition transition(const Link& have, const Link& want) {
  if (is_another(have, want)) return {Change::replace, Disruption::traffic};
  if (have == want) return {};
  if (gains_owner(have, want)) {
    return {Change::replace, Disruption::traffic, obstacle(have, want)};
  }
  return {Change::update, disruption(have, want), obstacle(have, want)};
}

}  // namespace plumbline
