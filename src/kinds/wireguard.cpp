#include "plumbline/kinds/wireguard.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "plumbline/wire/wireguard.hpp"
#include "wireguard_peers.hpp"

namespace plumbline {

const WireGuardPeer* detail::find_peer(const WireGuard& device, const PublicKey& wanted) {
  const auto it = std::ranges::lower_bound(device.peers, wanted, std::ranges::less{},
                                           &WireGuardPeer::public_key);
  return it != device.peers.end() && it->public_key == wanted ? &*it : nullptr;
}

WireGuard::Key key(const WireGuard& device) { return {device.name}; }

std::string format(const WireGuard::Key& key) { return "wireguard " + format(key.name); }

std::vector<Need> needs(const WireGuard& device) { return {NeedsLink{device.name}}; }

bool is_marked(const WireGuard& device, const Mark& /*mark*/) { return device.marked; }

WireGuard with_mark(WireGuard device, const Mark& /*mark*/) {
  device.marked = true;
  return device;
}

std::string endpoint_key(const WireGuard& device, const WireGuardPeer& peer) {
  return format(key(device)) + " endpoint " + format(peer.public_key);
}

// ---- how it is observed -------------------------------------------------------------------------

std::vector<wire::Request> WireGuard::queries(const Scope& scope) {
  std::vector<wire::Request> requests;
  for (const IfName& name : scope.tunnels) {
    requests.emplace_back(
        wire::GenericDump{std::string(wire::wireguard_family), wire::tunnel_query(name)});
  }
  return requests;
}

namespace {

/// The device that is asked for.
IfName name_in(const wire::Request& request) {
  const auto* dump = std::get_if<wire::GenericDump>(&request);
  const auto name = dump != nullptr ? wire::tunnel_name(dump->message) : std::nullopt;
  if (!name) throw wire::Malformed("not a question for a WireGuard device");
  return *name;
}

WireGuardPeer peer_of(wire::DumpedPeer dumped) {
  WireGuardPeer peer;
  peer.public_key = dumped.public_key;
  peer.preshared_key = dumped.preshared_key;
  peer.endpoint = dumped.endpoint;
  peer.keepalive = dumped.keepalive;
  peer.heard = dumped.heard;
  peer.allowed_ips = std::move(dumped.allowed_ips);
  return peer;
}

}  // namespace

void WireGuard::decode(const wire::Request& request, const wire::Reply& reply,
                       const LinkNames& /*links*/, std::vector<WireGuard>& out) {
  const IfName name = name_in(request);
  // EOPNOTSUPP: the name is another link's by now (lookup_interface() in wireguard's netlink.c).
  if (reply.error == ENODEV || reply.error == EOPNOTSUPP) return;
  if (reply.error != 0) {
    throw wire::Malformed("the tunnel " + format(name) +
                          " cannot be read: " + std::to_string(reply.error) + " " + reply.message);
  }
  wire::DumpedTunnel tunnel = wire::read_tunnel(reply.bytes);
  WireGuard device;
  device.name = name;
  device.private_key = tunnel.private_key;
  device.listen_port = tunnel.listen_port;
  device.fwmark = tunnel.fwmark;
  for (wire::DumpedPeer& peer : tunnel.peers) device.peers.push_back(peer_of(std::move(peer)));
  static_cast<void>(settle(device));
  out.push_back(std::move(device));
}

// ---- what one device can be ---------------------------------------------------------------------

std::string settle(WireGuard& device) {
  std::string fault;
  const auto complain = [&](std::string words) {
    if (fault.empty()) fault = std::move(words);
  };
  std::ranges::stable_sort(device.peers, std::ranges::less{}, &WireGuardPeer::public_key);
  const auto same_key = [](const WireGuardPeer& a, const WireGuardPeer& b) {
    return a.public_key == b.public_key;
  };
  const auto twice = std::adjacent_find(device.peers.begin(), device.peers.end(), same_key);
  if (twice != device.peers.end()) {
    complain("the peer " + format(twice->public_key) + " is given twice");
    device.peers.erase(std::unique(device.peers.begin(), device.peers.end(), same_key),
                       device.peers.end());
  }
  std::vector<Prefix> all;
  for (WireGuardPeer& peer : device.peers) {
    std::ranges::sort(peer.allowed_ips);
    peer.allowed_ips.erase(std::unique(peer.allowed_ips.begin(), peer.allowed_ips.end()),
                           peer.allowed_ips.end());
    all.insert(all.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
  }
  std::ranges::sort(all);
  const auto shared = std::adjacent_find(all.begin(), all.end());
  if (shared != all.end()) {
    complain("two peers have the allowed IP " + format(*shared) + ": only one of them can");
  }
  if (device.private_key &&
      detail::find_peer(device, public_key_of(*device.private_key)) != nullptr) {
    complain("a peer has the public key of this device itself");
  }
  return fault;
}

// ---- how one value becomes another --------------------------------------------------------------

namespace {

void complete_peer(WireGuardPeer& want, const WireGuardPeer& have) {
  const bool roamed = have.heard && have.endpoint && !want.endpoint_is_new;
  if (!want.endpoint || roamed) want.endpoint = have.endpoint;
  want.heard = have.heard;
}

/// What suffers when a peer changes.
Disruption loss(const WireGuardPeer& have, const WireGuardPeer& want) {
  if (!std::ranges::includes(want.allowed_ips, have.allowed_ips)) return Disruption::traffic;
  const bool sessions = have.preshared_key != want.preshared_key || have.endpoint != want.endpoint;
  return sessions ? Disruption::sessions : Disruption::nothing;
}

}  // namespace

WireGuard complete(WireGuard want, const WireGuard& have) {
  if (!want.listen_port) want.listen_port = have.listen_port;
  for (WireGuardPeer& peer : want.peers) {
    if (const WireGuardPeer* there = detail::find_peer(have, peer.public_key))
      complete_peer(peer, *there);
    peer.endpoint_is_new = false;
  }
  return want;
}

Transition transition(const WireGuard& have, const WireGuard& want) {
  if (have == want) return {};
  Disruption worst = Disruption::nothing;
  const bool fresh = !have.private_key;
  if (!fresh && (have.private_key != want.private_key || have.listen_port != want.listen_port ||
                 have.fwmark != want.fwmark)) {
    worst = Disruption::sessions;
  }
  for (const WireGuardPeer& peer : have.peers) {
    const WireGuardPeer* stays = detail::find_peer(want, peer.public_key);
    worst = std::max(worst, stays != nullptr ? loss(peer, *stays) : Disruption::traffic);
  }
  return {Change::update, worst};
}

}  // namespace plumbline
