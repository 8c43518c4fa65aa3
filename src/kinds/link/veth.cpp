// veth pairs: each end is a link, and names the other.

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include <algorithm>
#include <climits>

#include "mark.hpp"
#include "src/kinds/spec_words.hpp"
#include "type.hpp"

namespace plumbline::detail {

namespace {

/// A name as `ip netns add` takes it, or a path from the root.
std::optional<std::string> netns_word(const wire::Entry& entry) {
  auto text = entry.string();
  if (!text) return std::nullopt;
  const bool is_path = text->starts_with('/');
  const bool is_name =
      text->find('/') == text->npos && *text != "." && *text != ".." && text->size() <= NAME_MAX;
  if (!text->empty() && (is_path || is_name) && text->size() < PATH_MAX) return text;
  entry.error(Code::invalid_link,
              "expected the name of a network namespace or an absolute path, not '" + *text + "'");
  return std::nullopt;
}

std::optional<VethOptions> veth_of(const wire::Entry& link, const IfName& self) {
  const auto member = link.require("veth");
  if (!member || !member->is_object()) return std::nullopt;
  member->only({"peer", "peerNetns"});
  const auto peer = member->require("peer");
  const auto elsewhere = member->find("peerNetns");
  if (!elsewhere) return VethOptions{other_link(*member, "peer", self)};
  VethOptions veth;
  if (peer) veth.peer = link_word(*peer);  // there a link may have the name of this one
  veth.peer_netns = netns_word(*elsewhere);
  return veth;
}

boost::json::object spec_of(const VethOptions& veth) {
  boost::json::object object;
  if (veth.peer) object["peer"] = veth.peer->view();
  put(object, "peerNetns", veth.peer_netns);
  return object;
}

void complete_veth(VethOptions& want, const VethOptions& have) {
  if (want.peer_netns) {
    want = have;
  } else {
    take(want.peer, have.peer);
  }
}

bool is_another_pair(const VethOptions& have, const VethOptions& want) {
  if (want.peer_netns) return have.peer.has_value();  // it is here
  return differs(have.peer, want.peer);
}

/// In another namespace the peer is not marked, as it is none of ours to whoever keeps that, and
/// stays down: no end can be up before both are there (veth_open() in drivers/net/veth.c). `place`
/// is where the namespace goes.
void add_peer(wire::MessageBuilder& peer, const Link& link, std::size_t& place) {
  const ifinfomsg header{};
  peer.append(&header, sizeof header);
  peer.string(IFLA_IFNAME, link.veth->peer->view());
  if (link.veth->peer_netns) {
    peer.u32(IFLA_NET_NS_FD, 0);
    place = peer.size() - sizeof(std::uint32_t);
  } else if (link.marked) {
    peer.u32(IFLA_GROUP, unfinished_group);
  }
}

class Veth final : public LinkType {
 public:
  constexpr Veth() : LinkType(LinkKind::veth) {}

  void read_spec(const wire::Entry& entry, Link& link) const override {
    link.veth = veth_of(entry, link.name);
  }
  void write_spec(const Link& link, boost::json::object& object) const override {
    if (link.veth && link.veth->peer) object["veth"] = spec_of(*link.veth);
  }

  [[nodiscard]] std::optional<NeedsLink> needs(const Link& link) const override {
    if (makes_the_pair(link)) return std::nullopt;
    return NeedsLink{*peer_here(link)};
  }
  void complete(Link& want, const Link& have) const override {
    take(want.veth, have.veth);
    if (want.veth && have.veth) complete_veth(*want.veth, *have.veth);
  }
  [[nodiscard]] bool is_another(const Link& have, const Link& want) const override {
    return want.veth && is_another_pair(have.veth.value_or(VethOptions()), *want.veth);
  }

  void resolve(const RawLink& raw, const LinkNames& links, Link& link) const override {
    link.veth.emplace();
    if (!raw.is_elsewhere) link.veth->peer = links.name(raw.lower);
  }
  void add_new(wire::MessageBuilder& data, const Link& link, Making& making) const override {
    if (!link.veth || !link.veth->peer) return;
    data.nest(
        VETH_INFO_PEER,
        [&](wire::MessageBuilder& peer) { add_peer(peer, link, making.netns_place); }, false);
  }
};

const Veth veth;

}  // namespace

const LinkType& veth_type() { return veth; }

}  // namespace plumbline::detail
