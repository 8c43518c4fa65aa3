// A link as the spec writes it.

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <climits>

#include "link_mark.hpp"
#include "spec_words.hpp"

namespace plumbline {

namespace {

using wire::Entry;

/// Hundredths of a second in a second.
constexpr std::uint32_t hundredths = 100;

constexpr std::array nameable{LinkKind::physical, LinkKind::bridge, LinkKind::tap, LinkKind::veth,
                              LinkKind::wireguard};
constexpr std::array known{LinkKind::vxlan,  LinkKind::ifb,    LinkKind::dummy, LinkKind::vlan,
                           LinkKind::bond,   LinkKind::vrf,    LinkKind::gre,   LinkKind::macvlan,
                           LinkKind::ipvlan, LinkKind::geneve, LinkKind::sit,   LinkKind::ipip,
                           LinkKind::gretap};

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
        "'" + *text + "' is no kind of link: use physical, bridge, tap, veth or wireguard");
  }
  return std::nullopt;
}

/// The name of another link.
std::optional<IfName> other_link(const Entry& entry, std::string_view key, const IfName& self) {
  const auto member = entry.find(key);
  if (!member) return std::nullopt;
  const auto name = link_word(*member);
  if (name == self) {
    member->error(Code::invalid_link, "a link cannot be its own " + std::string(key));
    return std::nullopt;
  }
  return name;
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

// ---- options ------------------------------------------------------------------------------------

std::optional<std::uint32_t> seconds(const Entry& entry, std::string_view key, std::int64_t max) {
  const auto value = entry.integer<std::uint32_t>(key, 0, max);
  if (!value) return std::nullopt;
  return *value * hundredths;
}

std::optional<BridgeOptions> bridge_of(const Entry& entry) {
  const auto member = entry.find("bridge");
  if (!member || !member->is_object()) return std::nullopt;
  member->only({"stp", "forwardDelay", "ageingTime", "vlanFiltering", "multicastSnooping",
                "noLinklocalLearn"});
  BridgeOptions bridge;
  bridge.stp = member->boolean("stp");
  // BR_MIN_FORWARD_DELAY and BR_MAX_FORWARD_DELAY in net/bridge/br_private_stp.h
  bridge.forward_delay = seconds(*member, "forwardDelay", 30);
  bridge.ageing_time = seconds(*member, "ageingTime", UINT32_MAX / hundredths);
  bridge.vlan_filtering = member->boolean("vlanFiltering");
  bridge.multicast_snooping = member->boolean("multicastSnooping");
  bridge.no_linklocal_learn = member->boolean("noLinklocalLearn");
  if (bridge.forward_delay == hundredths) {
    member->find("forwardDelay")->error(Code::out_of_range, "a forward delay is 0 or 2 to 30");
  }
  if (bridge.forward_delay == 0U && bridge.stp == true) {
    member->find("forwardDelay")
        ->error(Code::invalid_link, "STP needs a forward delay of at least 2 seconds");
  }
  return bridge;
}

std::optional<TapOptions> tap_of(const Entry& entry) {
  const auto member = entry.find("tap");
  if (!member || !member->is_object()) return std::nullopt;
  member->only({"owner", "group", "multiQueue", "vnetHeader"});
  constexpr std::int64_t last_id = UINT32_MAX - std::int64_t{1};  // the last one means nobody
  TapOptions tap;
  tap.owner = member->integer<std::uint32_t>("owner", 0, last_id);
  tap.group = member->integer<std::uint32_t>("group", 0, last_id);
  tap.multi_queue = member->boolean("multiQueue");
  tap.vnet_header = member->boolean("vnetHeader");
  return tap;
}

std::optional<VethOptions> veth_of(const Entry& entry, const IfName& self) {
  const auto member = entry.require("veth");
  if (!member || !member->is_object()) return std::nullopt;
  member->only({"peer", "peerNetns"});
  static_cast<void>(member->require("peer"));
  if (const auto elsewhere = member->find("peerNetns")) {
    elsewhere->error(Code::not_available, "peerNetns is not available yet");
  }
  return VethOptions{other_link(*member, "peer", self)};
}

std::optional<PortSettings> port_of(const Entry& entry, LinkKind kind) {
  const auto member = entry.find("port");
  if (!member || !member->is_object()) return std::nullopt;
  member->only({"isolated", "learning", "hairpin", "cost", "priority"});
  if (kind != LinkKind::physical && !entry.has("master")) {
    member->error(Code::invalid_link, "bridge port settings need a 'master'");
  }
  PortSettings port;
  port.isolated = member->boolean("isolated");
  port.learning = member->boolean("learning");
  port.hairpin = member->boolean("hairpin");
  // br_stp_set_path_cost() and br_stp_set_port_priority() in net/bridge/br_stp_if.c
  port.cost = member->integer<std::uint32_t>("cost", 1, 65535);
  port.priority = member->integer<std::uint16_t>("priority", 0, 63);
  return port;
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
  // inetdev_valid_mtu() in net/ipv4/devinet.c; ETH_MAX_MTU
  link.mtu = entry.integer<std::uint32_t>("mtu", 68, 65535);
  link.mac = mac_of(entry, link.kind);
  link.master = other_link(entry, "master", self);
  link.tx_queue_length = entry.integer<std::uint32_t>("txQueueLength", 0, INT_MAX);
  link.alias = alias_of(entry, link.kind);
  link.port = port_of(entry, link.kind);
  if (link.kind == LinkKind::bridge) link.bridge = bridge_of(entry);
  if (link.kind == LinkKind::tap) link.tap = tap_of(entry);
  if (link.kind == LinkKind::veth) link.veth = veth_of(entry, self);
  if (!name) return std::nullopt;
  return link;
}

// ---- the way back -------------------------------------------------------------------------------

namespace {

template <class T>
void put(boost::json::object& object, std::string_view key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}

/// Whole seconds, as the spec takes them; what others set may be a fraction.
void put_seconds(boost::json::object& object, std::string_view key,
                 const std::optional<std::uint32_t>& value) {
  if (!value) return;
  if (*value % hundredths == 0) {
    object[key] = *value / hundredths;
  } else {
    object[key] = *value / double{hundredths};
  }
}

boost::json::object to_spec(const BridgeOptions& bridge) {
  boost::json::object object;
  put(object, "stp", bridge.stp);
  put_seconds(object, "forwardDelay", bridge.forward_delay);
  put_seconds(object, "ageingTime", bridge.ageing_time);
  put(object, "vlanFiltering", bridge.vlan_filtering);
  put(object, "multicastSnooping", bridge.multicast_snooping);
  put(object, "noLinklocalLearn", bridge.no_linklocal_learn);
  return object;
}

boost::json::object to_spec(const TapOptions& tap) {
  boost::json::object object;
  put(object, "owner", tap.owner);
  put(object, "group", tap.group);
  put(object, "multiQueue", tap.multi_queue);
  put(object, "vnetHeader", tap.vnet_header);
  return object;
}

boost::json::object to_spec(const PortSettings& port) {
  boost::json::object object;
  put(object, "isolated", port.isolated);
  put(object, "learning", port.learning);
  put(object, "hairpin", port.hairpin);
  put(object, "cost", port.cost);
  put(object, "priority", port.priority);
  return object;
}

}  // namespace

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
  if (link.veth && link.veth->peer) object["veth"] = {{"peer", link.veth->peer->view()}};
  return object;
}

}  // namespace plumbline
