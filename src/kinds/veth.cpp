// Options of a veth pair: its other end. The pair is made by link_requests.cpp.

#include <algorithm>
#include <climits>

#include "link_options.hpp"
#include "spec_words.hpp"

namespace plumbline {

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

}  // namespace

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

boost::json::object to_spec(const VethOptions& veth) {
  boost::json::object object;
  if (veth.peer) object["peer"] = veth.peer->view();
  put(object, "peerNetns", veth.peer_netns);
  return object;
}

void complete(VethOptions& want, const VethOptions& have) {
  if (want.peer_netns) {
    want = have;
  } else {
    take(want.peer, have.peer);
  }
}

bool is_another(const VethOptions& have, const VethOptions& want) {
  if (want.peer_netns) return have.peer.has_value();  // it is here
  return differs(have.peer, want.peer);
}

}  // namespace plumbline
