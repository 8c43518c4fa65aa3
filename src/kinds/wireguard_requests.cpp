// The messages that configure a WireGuard device.
//
// Adding an allowed IP to a peer takes it from the peer that had it, in one go (allowedips_insert()
// in drivers/net/wireguard/allowedips.c), so what moves is only ever added. What nobody shall have
// any more cannot be removed by itself before Linux 6.16, and replacing a peer's whole list leaves
// the rest of it without a peer for a moment: a peer made for this takes it along when it goes.

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "plumbline/wire/wireguard.hpp"
#include "wireguard_peers.hpp"

namespace plumbline {

namespace {

using wire::PeerChange;
using wire::TunnelChange;

std::vector<wire::Request> requests_of(const TunnelChange& change) {
  std::vector<wire::Request> requests;
  for (wire::Bytes& message : wire::tunnel_changes(change)) {
    requests.emplace_back(
        wire::GenericChange{std::string(wire::wireguard_family), std::move(message)});
  }
  return requests;
}

PeerChange addition(const WireGuardPeer& peer) {
  PeerChange change;
  change.public_key = peer.public_key;
  change.kind = PeerChange::Kind::add;
  change.preshared_key = peer.preshared_key;
  change.endpoint = peer.endpoint;
  if (peer.keepalive != 0) change.keepalive = peer.keepalive;
  change.allowed_ips = peer.allowed_ips;
  return change;
}

PeerChange removal(const PublicKey& key) {
  PeerChange change;
  change.public_key = key;
  change.kind = PeerChange::Kind::remove;
  return change;
}

std::vector<Prefix> minus(const std::vector<Prefix>& all, const std::vector<Prefix>& some) {
  std::vector<Prefix> rest;
  std::ranges::set_difference(all, some, std::back_inserter(rest));
  return rest;
}

/// Without what takes allowed IPs away.
PeerChange update_of(const WireGuardPeer& have, const WireGuardPeer& want) {
  PeerChange change;
  change.public_key = want.public_key;
  if (have.preshared_key != want.preshared_key) {
    change.preshared_key = want.preshared_key.value_or(SecretKey());
  }
  if (have.endpoint != want.endpoint) change.endpoint = want.endpoint;
  if (have.keepalive != want.keepalive) change.keepalive = want.keepalive;
  change.allowed_ips = minus(want.allowed_ips, have.allowed_ips);
  return change;
}

bool says_something(const PeerChange& change) {
  return change.preshared_key || change.endpoint || change.keepalive || !change.allowed_ips.empty();
}

/// What peers that stay have and nobody shall have.
std::vector<Prefix> dropped(const WireGuard& have, const WireGuard& want) {
  std::set<Prefix> wanted;
  for (const WireGuardPeer& peer : want.peers) {
    wanted.insert(peer.allowed_ips.begin(), peer.allowed_ips.end());
  }
  std::vector<Prefix> gone;
  for (const WireGuardPeer& peer : have.peers) {
    if (detail::find_peer(want, peer.public_key) == nullptr) continue;
    std::ranges::copy_if(peer.allowed_ips, std::back_inserter(gone),
                         [&](const Prefix& prefix) { return !wanted.contains(prefix); });
  }
  return gone;
}

/// A key that is no peer's: nobody can know a secret key to it.
PublicKey key_of_nobody(const WireGuard& have, const WireGuard& want) {
  std::array<std::byte, key_size> bytes{};
  for (unsigned char last = 1;; ++last) {
    bytes.back() = std::byte{last};
    const PublicKey key = *PublicKey::from_bytes(bytes);
    const bool taken =
        detail::find_peer(have, key) != nullptr || detail::find_peer(want, key) != nullptr;
    if (!taken) return key;
  }
}

std::vector<PeerChange> peer_changes(const WireGuard& have, const WireGuard& want) {
  std::vector<PeerChange> changes;
  for (const WireGuardPeer& peer : want.peers) {
    const WireGuardPeer* there = detail::find_peer(have, peer.public_key);
    PeerChange change = there != nullptr ? update_of(*there, peer) : addition(peer);
    if (there == nullptr || says_something(change)) changes.push_back(std::move(change));
  }
  if (std::vector<Prefix> gone = dropped(have, want); !gone.empty()) {
    WireGuardPeer nobody;
    nobody.public_key = key_of_nobody(have, want);
    nobody.allowed_ips = std::move(gone);
    changes.push_back(addition(nobody));
    changes.push_back(removal(nobody.public_key));
  }
  for (const WireGuardPeer& peer : have.peers) {
    if (detail::find_peer(want, peer.public_key) == nullptr)
      changes.push_back(removal(peer.public_key));
  }
  return changes;
}

}  // namespace

std::vector<wire::Request> create(const WireGuard& device, const LinkNames& links) {
  TunnelChange change;
  change.index = links.index(device.name);
  change.private_key = device.private_key.value_or(SecretKey());
  change.listen_port = device.listen_port;
  if (device.fwmark != 0) change.fwmark = device.fwmark;
  change.replace_peers = true;
  for (const WireGuardPeer& peer : device.peers) change.peers.push_back(addition(peer));
  return requests_of(change);
}

std::vector<wire::Request> update(const WireGuard& have, const WireGuard& want,
                                  const LinkNames& links) {
  TunnelChange change;
  change.index = links.index(want.name);
  if (have.private_key != want.private_key) {
    change.private_key = want.private_key.value_or(SecretKey());
  }
  if (want.listen_port && have.listen_port != want.listen_port) {
    change.listen_port = want.listen_port;
  }
  if (have.fwmark != want.fwmark) change.fwmark = want.fwmark;
  change.peers = peer_changes(have, want);
  return requests_of(change);
}

std::vector<wire::Request> remove(const WireGuard& device, const LinkNames& links) {
  TunnelChange change;
  change.index = links.index(device.name);
  change.private_key = SecretKey();
  change.listen_port = 0;
  change.fwmark = 0;
  change.replace_peers = true;
  return requests_of(change);
}

}  // namespace plumbline
