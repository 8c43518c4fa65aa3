// The messages that make, change and remove a link.
//
// A link that is there is addressed by its index, so that no other of its name, or with its name as
// an alternative one, can be hit. Only messages behind its making, when that went well, name it.

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <climits>

#include "mark.hpp"
#include "plumbline/wire/netlink.hpp"
#include "type.hpp"

namespace plumbline {

namespace {

using wire::MessageBuilder;
using Requests = std::vector<wire::Request>;

struct Target {
  IfName name;
  int index = 0;  ///< 0: by name
};

Target target_of(const Link& link, const LinkNames& links) {
  return {link.name, static_cast<int>(links.index(link.name))};
}

/// What a message changes of the flags of a link.
struct Flags {
  unsigned changed = 0;
  unsigned set = 0;

  void put(unsigned flag, bool on) {
    changed |= flag;
    if (on) set |= flag;
  }
};

/// RTM_SETLINK never makes a link, and never takes IFLA_GROUP for "all links of that group", as
/// RTM_NEWLINK without a link does. Only RTM_NEWLINK reads IFLA_LINKINFO.
MessageBuilder to_link(std::uint16_t type, const Target& target, Flags flags = {}) {
  ifinfomsg header{};
  header.ifi_index = target.index;
  header.ifi_change = flags.changed;
  header.ifi_flags = flags.set;
  MessageBuilder message(type, 0);
  message.header(header);
  if (target.index == 0) message.string(IFLA_IFNAME, target.name.view());
  return message;
}

void send(Requests& requests, MessageBuilder message) {
  requests.emplace_back(wire::NetlinkChange{std::move(message).finish()});
}

void add_bytes(MessageBuilder& message, std::uint16_t type, std::string_view text) {
  message.bytes(type, std::as_bytes(std::span(text.data(), text.size())));
}

// ---- options of a kind, and of a port -----------------------------------------------------------

void send_changes(Requests& requests, const Target& target, const Link& have, const Link& want) {
  MessageBuilder message = to_link(RTM_NEWLINK, target);
  bool any = false;
  message.nest(IFLA_LINKINFO, [&](MessageBuilder& linkinfo) {
    linkinfo.string(IFLA_INFO_KIND, format(want.kind));
    linkinfo.nest(IFLA_INFO_DATA, [&](MessageBuilder& data) {
      const std::size_t before = data.size();
      detail::type_of(want.kind).add_changes(data, have, want);
      any = data.size() > before;
    });
  });
  if (any) send(requests, std::move(message));
}

void change_options(Requests& requests, const Target& target, const Link& have, const Link& want) {
  const auto middle = detail::type_of(want.kind).by_way_of(have, want);
  if (middle) send_changes(requests, target, have, *middle);
  send_changes(requests, target, middle ? *middle : have, want);
}

/// Nothing when there is nothing to set. In a message with IFLA_MASTER the kernel ignores or
/// refuses these (measured on 6.1 and 6.18); those of one that goes up it sets before that
/// (rtnl_changelink() in net/core/rtnetlink.c).
std::optional<MessageBuilder> port_message(const Target& target, const Link& have, const Link& want,
                                           bool raise) {
  if (!want.port || !want.master) return std::nullopt;
  PortSettings now{false, true, false, {}, 32, 0};  // of every new port: new_nbp() in br_if.c
  if (have.port && have.master == want.master) now = *have.port;
  Flags flags;
  if (raise) flags.put(IFF_UP, true);
  MessageBuilder message = to_link(RTM_NEWLINK, target, flags);
  bool any = false;
  message.nest(IFLA_LINKINFO, [&](MessageBuilder& linkinfo) {
    linkinfo.string(IFLA_INFO_SLAVE_KIND, "bridge");
    linkinfo.nest(IFLA_INFO_SLAVE_DATA, [&](MessageBuilder& data) {
      const std::size_t before = data.size();
      detail::add_changes(data, now, *want.port);
      any = data.size() > before;
    });
  });
  if (!any) return std::nullopt;
  return message;
}

// ---- what every link has ------------------------------------------------------------------------

bool has_same_mark(const Link& have, const Link& want) {
  return have.marked == want.marked && have.alias == want.alias &&
         have.assignment == want.assignment;
}

/// Whether it is put where it belongs: into its group and, being a TAP, to speaking ARP or not. One
/// of a guest does not: ARP that a bridge hands on as its port's own, or that comes while the TAP
/// is in no bridge, would fill the host's table of neighbours (arp_rcv() in net/ipv4/arp.c).
bool is_grouped(const Link& have, const Link& want) {
  const bool unfinished = have.marked && !have.alias;
  return want.alias && !has_same_mark(have, want) &&
         (unfinished || is_of_guest(have) != is_of_guest(want));
}

/// Group and alias: see mark.hpp.
void add_mark(MessageBuilder& message, const Link& have, const Link& want) {
  if (has_same_mark(have, want)) return;
  if (want.alias) {
    if (is_grouped(have, want)) {
      message.u32(IFLA_GROUP, is_of_guest(want) ? guest_group : 0);
    }
    add_bytes(message, IFLA_IFALIAS, detail::alias_text(want));
  } else if (want.marked) {
    const auto [group, alias] = detail::unfinished_mark(want);
    message.u32(IFLA_GROUP, group);
    add_bytes(message, IFLA_IFALIAS, alias);
  }
}

/// What the message that makes a link takes as well.
void add_basics(MessageBuilder& message, const Link& have, const Link& want) {
  if (detail::differs(have.mtu, want.mtu)) message.u32(IFLA_MTU, *want.mtu);
  const bool noted = noted_mac(want) == want.mac && have.assignment != want.assignment;
  if (want.mac && (have.mac != want.mac || noted)) message.bytes(IFLA_ADDRESS, want.mac->bytes());
  if (detail::differs(have.tx_queue_length, want.tx_queue_length)) {
    message.u32(IFLA_TXQLEN, *want.tx_queue_length);
  }
}

void change_owner(Requests& requests, const Link& have, const Link& want) {
  if (!want.tap || !have.tap) return;
  if (have.tap->owner == want.tap->owner && have.tap->group == want.tap->group) return;
  wire::TapChange change{wire::TapChange::Action::set_owner, want.name, {}, {}, false, false, {}};
  if (have.tap->owner != want.tap->owner) change.owner = want.tap->owner;
  if (have.tap->group != want.tap->group) change.group = want.tap->group;
  requests.emplace_back(std::move(change));
}

/// From `have` to `want`, both with everything that matters said. In the order that keeps an
/// isolated port from ever being up without its isolation, and a guest's TAP from being up outside
/// of a bridge, which it is between two: down, master, settings and up.
Requests configure(const Target& target, const Link& have, const Link& want,
                   const LinkNames& links) {
  Requests requests;
  const bool is_up = have.up == true;
  const bool isolates = want.port && want.port->isolated == true;
  const bool moves = have.master != want.master && (isolates || is_of_guest(want));
  const bool shut = is_up && (want.up == false || moves);
  if (shut) send(requests, to_link(RTM_SETLINK, target, {IFF_UP, 0}));
  const bool raise = want.up.value_or(is_up) && (!is_up || shut);

  change_owner(requests, have, want);
  change_options(requests, target, have, want);

  auto port = port_message(target, have, want, raise);
  Flags along;
  if (raise && !port) along.put(IFF_UP, true);
  if (want.kind == LinkKind::tap && is_grouped(have, want)) {
    along.put(IFF_NOARP, is_of_guest(want));
  }
  MessageBuilder settings = to_link(RTM_SETLINK, target, along);
  const std::size_t empty = settings.size();
  add_basics(settings, have, want);
  add_mark(settings, have, want);
  if (have.master != want.master) settings.u32(IFLA_MASTER, detail::index_of(want.master, links));
  if (settings.size() > empty || along.changed != 0) send(requests, std::move(settings));
  if (port) send(requests, std::move(*port));
  return requests;
}

// ---- making one ---------------------------------------------------------------------------------

void send_new(Requests& requests, MessageBuilder message, const Link& link,
              const LinkNames& links) {
  // Undoing may ask for a pair whose other end was elsewhere, and is not known. The kernel would
  // make one here, of a name of its own.
  if (link.kind == LinkKind::veth && !link.veth->peer) {
    requests.emplace_back(wire::NamespaceChange{std::move(message).finish(), "", 0});
    return;
  }
  detail::Making making{links};
  message.nest(IFLA_LINKINFO, [&](MessageBuilder& linkinfo) {
    linkinfo.string(IFLA_INFO_KIND, format(link.kind));
    linkinfo.nest(IFLA_INFO_DATA, [&](MessageBuilder& data) {
      detail::type_of(link.kind).add_new(data, link, making);
    });
  });
  if (making.netns_place == 0) return send(requests, std::move(message));
  requests.emplace_back(wire::NamespaceChange{std::move(message).finish(), *link.veth->peer_netns,
                                              making.netns_place});
}

/// Appends what makes the link, and gives what it is then.
Link make(Requests& requests, const Link& link, const LinkNames& links) {
  Link made = link;
  made.up = false;
  made.master.reset();
  made.port.reset();
  const detail::LinkType& type = detail::type_of(link.kind);
  type.settle_made(link, made);
  if (link.kind == LinkKind::tap) {
    const TapOptions tap = link.tap.value_or(TapOptions());
    requests.emplace_back(wire::TapChange{wire::TapChange::Action::create, link.name, tap.owner,
                                          tap.group, tap.multi_queue.value_or(false),
                                          tap.vnet_header.value_or(false),
                                          detail::alias_text(link)});
    return made;
  }
  MessageBuilder message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.header(ifinfomsg{}).string(IFLA_IFNAME, link.name.view());
  if (link.marked) message.u32(IFLA_GROUP, detail::unfinished_group);
  if (type.is_made_over_lower()) message.u32(IFLA_LINK, detail::index_of(type.lower(link), links));
  add_basics(message, Link(), made);
  send_new(requests, std::move(message), link, links);
  made.alias.reset();
  return made;
}

}  // namespace

std::uint32_t detail::index_of(const std::optional<IfName>& name, const LinkNames& links) {
  if (!name) return 0;
  const std::uint32_t index = links.index(*name);
  return index != 0 ? index : static_cast<std::uint32_t>(INT_MAX);
}

std::vector<wire::Request> create(const Link& link, const LinkNames& links) {
  if (link.kind == LinkKind::physical) return {};
  Link want = link;
  if (!want.alias) want.alias = "";
  Requests requests;
  Link made;
  if (makes_the_pair(link)) {
    made = make(requests, want, links);
  } else {
    made.marked = link.marked;  // by the end that made both
    made.up = false;
  }
  for (wire::Request& request : configure({link.name, 0}, made, want, links)) {
    requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<wire::Request> update(const Link& have, const Link& want, const LinkNames& links) {
  return configure(target_of(want, links), have, want, links);
}

std::vector<wire::Request> remove(const Link& link, const LinkNames& links) {
  if (link.kind == LinkKind::physical || !makes_the_pair(link)) return {};
  Requests requests;
  send(requests, to_link(RTM_DELLINK, target_of(link, links)));
  return requests;
}

}  // namespace plumbline
