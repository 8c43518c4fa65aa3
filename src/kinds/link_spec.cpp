// A link as the spec writes it.

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <climits>

#include "link_mark.hpp"
#include "link_options.hpp"
#include "spec_words.hpp"

namespace plumbline {

namespace {

using wire::Entry;

constexpr std::array nameable{LinkKind::physical, LinkKind::bridge, LinkKind::tap,
                              LinkKind::veth,     LinkKind::vxlan,  LinkKind::ifb,
                              LinkKind::wireguard};
constexpr std::array known{LinkKind::dummy, LinkKind::vlan,    LinkKind::bond,   LinkKind::vrf,
                           LinkKind::gre,   LinkKind::macvlan, LinkKind::ipvlan, LinkKind::geneve,
                           LinkKind::sit,   LinkKind::ipip,    LinkKind::gretap};

template <class Kinds>
std::optional<LinkKind> find_kind(const Kinds& kinds, std::string_view name) {
  const auto it = std::ranges::find(kinds, name, [](LinkKind kind) { return format(kind); });
  if (it == kinds.end()) return std::nullopt;
  return *it;
}

std::optional<LinkKind> kind_of(const Entry& entry) {
  const auto member = entry.require("kind");
  if (!member) return std::nullopt;
  const auto text = member->string();
  if (!text) return std::nullopt;
  if (auto kind = find_kind(nameable, *text)) return kind;
  if (find_kind(known, *text)) {
    member->error(Code::not_available, "links of kind " + *text + " are not available yet");
  } else {
    member->error(
        Code::invalid_link,
        "'" + *text +
            "' is no kind of link: use physical, bridge, tap, veth, vxlan, ifb or wireguard");
  }
  return std::nullopt;
}

std::optional<Mac> mac_of(const Entry& entry, LinkKind kind) {
  const auto member = entry.find("mac");
  if (!member) return std::nullopt;
  if (kind == LinkKind::wireguard) {
    member->error(Code::invalid_link, "a link of kind wireguard has no MAC address");
    return std::nullopt;
  }
  const auto mac = member->parsed<Mac>(Code::invalid_link, "a MAC address as 02:00:00:00:00:01");
  if (!mac || (!mac->is_multicast() && !mac->is_zero())) return mac;
  // is_valid_ether_addr() in include/linux/etherdevice.h
  member->error(Code::invalid_link, "an interface cannot have the MAC address " + format(*mac) +
                                        ": it is " + (mac->is_zero() ? "zero" : "multicast"));
  return std::nullopt;
}

std::optional<std::string> alias_of(const Entry& entry, LinkKind kind) {
  const auto member = entry.find("alias");
  if (!member) return std::nullopt;
  auto alias = member->string();
  if (!alias) return std::nullopt;
  const std::size_t marked = kind == LinkKind::physical ? 0 : alias_mark.size() + 1;
  if (alias->size() + marked > longest_alias) {
    member->error(Code::out_of_range, "an alias has at most " +
                                          std::to_string(longest_alias - marked) +
                                          " bytes, this one has " + std::to_string(alias->size()));
  }
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == 127; };
  if (std::ranges::any_of(*alias, is_control)) {
    member->error(Code::invalid_link, "an alias has no control characters");
  }
  if (alias->starts_with("plumbline:")) {
    member->error(Code::invalid_link, "an alias may not start as our mark does, 'plumbline:'");
  }
  return alias;
}

/// inetdev_valid_mtu() in net/ipv4/devinet.c; ETH_MAX_MTU, of which a TAP keeps room for a frame's
/// header (tun_net_initialize() in drivers/net/tun.c).
constexpr std::uint32_t least_mtu = 68;
std::uint32_t most_mtu(LinkKind kind) {
  constexpr std::uint32_t most = 65535;
  constexpr std::uint32_t header = 14;
  return kind == LinkKind::tap ? most - header : most;
}

/// The queues of these two are arrays of pointers in one piece: KMALLOC_MAX_SIZE, 4 MiB
/// (__ptr_ring_init_queue_alloc() in include/linux/ptr_ring.h). Others have none.
std::uint32_t most_in_queue(LinkKind kind) {
  constexpr std::uint32_t in_one_piece = (std::uint32_t{4} << 20U) / 8;
  return kind == LinkKind::tap || kind == LinkKind::ifb ? in_one_piece : INT_MAX;
}

void refuse_options_of_other_kinds(const Entry& entry, LinkKind kind) {
  entry.for_each_member([&](const Entry& member) {
    const auto other = find_kind(known, member.key());
    const auto options = other ? other : find_kind(nameable, member.key());
    if (options && *options != kind && *options != LinkKind::physical) {
      member.error(Code::invalid_link, "a link of kind " + std::string(format(kind)) +
                                           " has no options of a " + std::string(member.key()));
    }
  });
}

}  // namespace

bool can_be_made(LinkKind kind) {
  return kind != LinkKind::physical && std::ranges::find(nameable, kind) != nameable.end();
}

std::optional<IfName> other_link(const Entry& options, std::string_view key, const IfName& self) {
  const auto member = options.find(key);
  if (!member) return std::nullopt;
  const auto name = link_word(*member);
  if (name == self) {
    member->error(Code::invalid_link, "a link cannot be its own " + std::string(key));
    return std::nullopt;
  }
  return name;
}

std::optional<Link> Link::from_spec(const wire::Entry& entry) {
  if (!entry.is_object()) return std::nullopt;
  const auto name = link_name(entry, entry.key());
  const auto kind = kind_of(entry);
  if (!kind) return std::nullopt;
  entry.only({"kind",  "up",     "mtu",    "mac", "master",   "txQueueLength", "addresses",
              "alias", "port",   "bridge", "tap", "veth",     "vxlan",         "ifb",
              "dummy", "vlan",   "bond",   "vrf", "macvlan",  "ipvlan",        "geneve",
              "gre",   "gretap", "ipip",   "sit", "wireguard"});
  refuse_options_of_other_kinds(entry, *kind);
  const IfName self = name.value_or(IfName());
  Link link;
  link.name = self;
  link.kind = *kind;
  link.up = entry.has("up") ? entry.boolean("up") : true;
  link.mtu = entry.integer<std::uint32_t>("mtu", least_mtu, most_mtu(*kind));
  link.mac = mac_of(entry, link.kind);
  link.master = other_link(entry, "master", self);
  link.tx_queue_length = entry.integer<std::uint32_t>("txQueueLength", 0, most_in_queue(*kind));
  link.alias = alias_of(entry, link.kind);
  link.port = port_of(entry, link.kind);
  if (link.kind == LinkKind::bridge) link.bridge = bridge_of(entry);
  if (link.kind == LinkKind::tap) link.tap = tap_of(entry);
  if (link.kind == LinkKind::veth) link.veth = veth_of(entry, self);
  if (const auto ifb = entry.find("ifb")) ifb->only({});
  if (link.kind == LinkKind::vxlan) link.vxlan = vxlan_of(entry, self);
  if (!name) return std::nullopt;
  return link;
}

boost::json::value to_spec(const Link& link) {
  boost::json::object object;
  object["kind"] = format(link.kind);
  put(object, "up", link.up);
  put(object, "mtu", link.mtu);
  if (link.mac) object["mac"] = format(*link.mac);
  if (link.master) object["master"] = link.master->view();
  put(object, "txQueueLength", link.tx_queue_length);
  put(object, "alias", link.alias);
  if (link.port) object["port"] = to_spec(*link.port);
  if (link.bridge) object["bridge"] = to_spec(*link.bridge);
  if (link.tap) object["tap"] = to_spec(*link.tap);
  if (link.veth && link.veth->peer) object["veth"] = to_spec(*link.veth);
  if (link.vxlan) object["vxlan"] = to_spec(*link.vxlan);
  return object;
}

}  // namespace plumbline
