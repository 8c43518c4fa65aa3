#include "check.hpp"

#include <map>
#include <utility>

#include "link_stack.hpp"
#include "quoted.hpp"
#include "underlay.hpp"

namespace plumbline::spec {

namespace {

using wire::Entry;

class LinkCheck {
 public:
  explicit LinkCheck(const State& state) : state_(&state) {}

  void check(const Entry& entry, const Link& link) {
    stack_.add(entry, link);
    check_master(entry, link);
    check_addresses(entry, link);
    if (const auto peer = peer_here(link)) {
      check_peer(*entry.find("veth")->find("peer"), link, *peer);
    }
    check_identity(entry, link);
  }
  void check_together() { stack_.check(); }

 private:
  [[nodiscard]] const Link* find(const IfName& name) const {
    return state_->find<Link>(Link::Key{name});
  }
  void check_master(const Entry& entry, const Link& link) const;
  static void check_addresses(const Entry& entry, const Link& link);
  void check_peer(const Entry& place, const Link& link, const IfName& peer);
  void check_identity(const Entry& entry, const Link& link);

  const State* state_;
  /// Peers without an entry of their own, and where they are named.
  std::map<IfName, Origin> implied_;
  /// What no two links have in common, and where it is from.
  std::map<std::string, Origin> identities_;
  LinkStack stack_;
};

void LinkCheck::check_master(const Entry& entry, const Link& link) const {
  const auto place = entry.find("master");
  if (!link.master || !place) return;
  const Link* const master = find(*link.master);
  if (master == nullptr || master->kind == LinkKind::physical) return;
  if (master->kind != LinkKind::bridge) {
    place->error(Code::invalid_link, quoted(*link.master) + " is a " +
                                         std::string(format(master->kind)) +
                                         " in this spec, which cannot be a master");
  } else if (link.kind == LinkKind::wireguard) {
    place->error(Code::invalid_link, "a tunnel carries no frames and cannot be a port of a bridge");
  } else if (link.kind == LinkKind::bridge) {
    place->error(Code::invalid_link, "a bridge cannot be a port of a bridge");
  }
}

void LinkCheck::check_addresses(const Entry& entry, const Link& link) {
  const auto addresses = entry.find("addresses");
  if (!link.mtu || *link.mtu >= least_ipv6_mtu || !addresses) return;
  addresses->for_each_element([&](const Entry& element) {
    const auto* const text = element.node().get<std::string>();
    const auto address = text != nullptr ? InterfaceAddress::parse(*text) : std::nullopt;
    if (address && address->address.family() == Family::inet6) {
      element.error(Code::invalid_address,
                    "IPv6 needs an mtu of at least " + std::to_string(least_ipv6_mtu) +
                        ", and that of " + quoted(link.name) + " is " + std::to_string(*link.mtu));
    }
  });
}

void LinkCheck::check_peer(const Entry& place, const Link& link, const IfName& peer) {
  const Link* const other = find(peer);
  if (other == nullptr) {
    const auto [claimed, is_new] = implied_.emplace(peer, place.origin());
    if (!is_new) {
      place.error(Code::invalid_link,
                  quoted(peer) + " is already the peer of another at " + format(claimed->second));
    }
  } else if (other->kind != LinkKind::veth) {
    place.error(Code::invalid_link, quoted(peer) + " is a " + std::string(format(other->kind)) +
                                        " in this spec, not a veth");
  } else if (other->veth && other->veth->peer_netns) {
    place.error(Code::invalid_link,
                "the other end of " + quoted(peer) + " is in another network namespace");
  } else if (other->veth && other->veth->peer && *other->veth->peer != link.name) {
    place.error(Code::invalid_link, "the peer of " + quoted(peer) + " is " +
                                        quoted(*other->veth->peer) + ", not " + quoted(link.name));
  }
}

void LinkCheck::check_identity(const Entry& entry, const Link& link) {
  const auto own = identity(link);
  const auto options = entry.find(format(link.kind));
  const auto place = own && options ? options->find(own->member) : std::nullopt;
  if (!place) return;
  const auto [first, is_new] = identities_.emplace(own->value, place->origin());
  if (is_new) return;
  place->error(Code::duplicate_identity,
               std::string(own->what) + " is already given at " + format(first->second));
}

/// A chain is ours as a whole or shared, not both.
void check_table(const Entry& table) {
  const auto chains = table.find("chains");
  const auto shared = table.find("shared");
  if (!chains || !shared) return;
  std::map<std::string_view, Origin> own;
  chains->for_each_member([&](const Entry& chain) { own.emplace(chain.key(), chain.origin()); });
  shared->for_each_member([&](const Entry& chain) {
    const auto it = own.find(chain.key());
    if (it == own.end()) return;
    chain.error(Code::duplicate_identity, "'" + std::string(chain.key()) +
                                              "' is a chain of ours at " + format(it->second) +
                                              " and cannot be shared as well");
  });
}

template <class Visit>
void for_each_object_in(const std::optional<Entry>& section, const Visit& visit) {
  if (section && section->node().get<wire::Object>() != nullptr) section->for_each_member(visit);
}

}  // namespace

void check(const Entry& root, const State& state) {
  LinkCheck links(state);
  for_each_object_in(root.find("links"), [&](const Entry& entry) {
    const auto name = IfName::parse(entry.key());
    const Link* const link = name ? state.find<Link>(Link::Key{*name}) : nullptr;
    if (link != nullptr) links.check(entry, *link);
  });
  links.check_together();
  check_underlays(root, state);
  for (const std::string_view section : {"iptables", "ip6tables", "ebtables"}) {
    for_each_object_in(root.find(section), [](const Entry& table) { check_table(table); });
  }
}

}  // namespace plumbline::spec
