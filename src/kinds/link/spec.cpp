// A link as the spec writes it.

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <span>
#include <vector>

#include "mark.hpp"
#include "src/kinds/spec_words.hpp"
#include "type.hpp"

namespace plumbline {

namespace {

using wire::Entry;

/// All kinds that ip-link(8) has and we know of, whether or not a spec can have such a link made.
std::vector<LinkKind> known_kinds() {
  std::vector<LinkKind> kinds;
  for (auto kind = LinkKind::bridge; kind != LinkKind::other;
       kind = static_cast<LinkKind>(static_cast<std::uint8_t>(kind) + 1)) {
    if (kind != LinkKind::tun) kinds.push_back(kind);
  }
  return kinds;
}

std::optional<LinkKind> find_kind(std::string_view name) {
  static const std::vector<LinkKind> kinds = known_kinds();
  const auto it = std::ranges::find(kinds, name, [](LinkKind kind) { return format(kind); });
  if (it == kinds.end()) return std::nullopt;
  return *it;
}

/// `physical, bridge, tap, veth, vxlan, ifb or wireguard`
std::string available_kinds() {
  std::string text(format(LinkKind::physical));
  const auto types = detail::link_types();
  for (const detail::LinkType* type : types) {
    text += type == types.back() ? " or " : ", ";
    text += format(type->kind());
  }
  return text;
}

std::optional<LinkKind> kind_of(const Entry& entry) {
  const auto member = entry.require("kind");
  if (!member) return std::nullopt;
  const auto text = member->string();
  if (!text) return std::nullopt;
  if (*text == format(LinkKind::physical)) return LinkKind::physical;
  const auto kind = find_kind(*text);
  if (kind && can_be_made(*kind)) return kind;
  if (kind) {
    member->error(Code::not_available, "links of kind " + *text + " are not available yet");
  } else {
    member->error(Code::invalid_link,
                  "'" + *text + "' is no kind of link: use " + available_kinds());
  }
  return std::nullopt;
}

std::optional<Mac> mac_of(const Entry& entry, LinkKind kind) {
  const auto member = entry.find("mac");
  if (!member) return std::nullopt;
  if (!detail::type_of(kind).has_mac()) {
    member->error(Code::invalid_link,
                  "a link of kind " + std::string(format(kind)) + " has no MAC address");
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
  const std::size_t marked = kind == LinkKind::physical ? 0 : detail::alias_mark.size() + 1;
  if (alias->size() + marked > detail::longest_alias) {
    member->error(Code::out_of_range, "an alias has at most " +
                                          std::to_string(detail::longest_alias - marked) +
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

/// inetdev_valid_mtu() in net/ipv4/devinet.c
constexpr std::uint32_t least_mtu = 68;

/// Those of the options of every kind too: refuse_options_of_other_kinds() says more.
std::span<const std::string_view> members_of_links() {
  static const std::vector<std::string_view> members = [] {
    std::vector<std::string_view> all{"kind",          "up",        "mtu",   "mac", "master",
                                      "txQueueLength", "addresses", "alias", "port"};
    for (const LinkKind kind : known_kinds()) all.push_back(format(kind));
    return all;
  }();
  return members;
}

void refuse_options_of_other_kinds(const Entry& entry, LinkKind kind) {
  entry.for_each_member([&](const Entry& member) {
    const auto options = find_kind(member.key());
    if (options && *options != kind) {
      member.error(Code::invalid_link, "a link of kind " + std::string(format(kind)) +
                                           " has no options of a " + std::string(member.key()));
    }
  });
}

}  // namespace

bool can_be_made(LinkKind kind) {
  return std::ranges::find(detail::link_types(), kind, &detail::LinkType::kind) !=
         detail::link_types().end();
}

std::optional<IfName> detail::other_link(const Entry& options, std::string_view key,
                                         const IfName& self) {
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
  const auto name = detail::link_name(entry, entry.key());
  const auto kind = kind_of(entry);
  if (!kind) return std::nullopt;
  entry.only(members_of_links());
  refuse_options_of_other_kinds(entry, *kind);
  const detail::LinkType& type = detail::type_of(*kind);
  const IfName self = name.value_or(IfName());
  Link link;
  link.name = self;
  link.kind = *kind;
  link.up = entry.has("up") ? entry.boolean("up") : true;
  link.mtu = entry.integer<std::uint32_t>("mtu", least_mtu, type.most_mtu());
  link.mac = mac_of(entry, link.kind);
  link.master = detail::other_link(entry, "master", self);
  link.tx_queue_length = entry.integer<std::uint32_t>("txQueueLength", 0, type.most_in_queue());
  link.alias = alias_of(entry, link.kind);
  link.port = detail::port_of(entry, link.kind);
  type.read_spec(entry, link);
  if (!name) return std::nullopt;
  return link;
}

boost::json::value to_spec(const Link& link) {
  boost::json::object object;
  object["kind"] = format(link.kind);
  detail::put(object, "up", link.up);
  detail::put(object, "mtu", link.mtu);
  if (link.mac) object["mac"] = format(*link.mac);
  if (link.master) object["master"] = link.master->view();
  detail::put(object, "txQueueLength", link.tx_queue_length);
  detail::put(object, "alias", link.alias);
  if (link.port) object["port"] = detail::to_spec(*link.port);
  detail::type_of(link.kind).write_spec(link, object);
  return object;
}

}  // namespace plumbline
