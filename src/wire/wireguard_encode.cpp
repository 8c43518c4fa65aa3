// Questions and changes for the generic netlink family of WireGuard.

#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

#include <algorithm>
#include <utility>

#include "plumbline/wire/wireguard.hpp"

namespace plumbline::wire {

namespace {

MessageBuilder generic_message(std::uint16_t type, std::uint16_t flags, std::uint8_t command,
                               std::uint8_t version) {
  MessageBuilder message(type, flags);
  message.header(genlmsghdr{command, version, 0});
  return message;
}

MessageBuilder wireguard_message(std::uint8_t command) {
  return generic_message(0, 0, command, WG_GENL_VERSION);
}

template <class T>
void copy_to(T& target, std::span<const std::byte> bytes) {
  std::memcpy(&target, bytes.data(), std::min(sizeof target, bytes.size()));
}

void add_endpoint(MessageBuilder& message, const Endpoint& endpoint) {
  if (endpoint.address.family() == Family::inet) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    copy_to(address.sin_addr, endpoint.address.bytes());
    message.bytes(WGPEER_A_ENDPOINT, std::as_bytes(std::span(&address, 1)));
  } else {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(endpoint.port);
    address.sin6_scope_id = endpoint.scope;
    copy_to(address.sin6_addr, endpoint.address.bytes());
    message.bytes(WGPEER_A_ENDPOINT, std::as_bytes(std::span(&address, 1)));
  }
}

void add_allowed_ip(MessageBuilder& message, const Prefix& prefix) {
  const bool ipv4 = prefix.family() == Family::inet;
  message.nest(0, [&](MessageBuilder& nest) {
    nest.u16(WGALLOWEDIP_A_FAMILY, ipv4 ? AF_INET : AF_INET6);
    nest.address(WGALLOWEDIP_A_IPADDR, prefix.address());
    nest.u8(WGALLOWEDIP_A_CIDR_MASK, prefix.length());
  });
}

std::uint32_t flags_of(PeerChange::Kind kind) {
  switch (kind) {
    case PeerChange::Kind::update:
      return WGPEER_F_UPDATE_ONLY;
    case PeerChange::Kind::remove:
      return WGPEER_F_UPDATE_ONLY | WGPEER_F_REMOVE_ME;
    case PeerChange::Kind::add:
      break;
  }
  return 0;
}

void add_peer(MessageBuilder& message, const PeerChange& peer) {
  message.nest(0, [&](MessageBuilder& nest) {
    nest.bytes(WGPEER_A_PUBLIC_KEY, peer.public_key.bytes());
    if (const auto flags = flags_of(peer.kind); flags != 0) nest.u32(WGPEER_A_FLAGS, flags);
    if (peer.preshared_key) nest.bytes(WGPEER_A_PRESHARED_KEY, peer.preshared_key->bytes());
    if (peer.endpoint) add_endpoint(nest, *peer.endpoint);
    if (peer.keepalive) nest.u16(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, *peer.keepalive);
    if (peer.allowed_ips.empty()) return;
    nest.nest(WGPEER_A_ALLOWEDIPS, [&](MessageBuilder& list) {
      for (const Prefix& prefix : peer.allowed_ips) add_allowed_ip(list, prefix);
    });
  });
}

void add_device(MessageBuilder& message, const TunnelChange& change) {
  if (change.private_key) message.bytes(WGDEVICE_A_PRIVATE_KEY, change.private_key->bytes());
  if (change.listen_port) message.u16(WGDEVICE_A_LISTEN_PORT, *change.listen_port);
  if (change.fwmark) message.u32(WGDEVICE_A_FWMARK, *change.fwmark);
  if (change.replace_peers) message.u32(WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
}

// At most, with headers and padding.
constexpr std::size_t size_of_peer = 160;
constexpr std::size_t size_of_allowed_ip = 40;
constexpr std::size_t most_in_message = 30000;

/// The peers message by message: one with more allowed IPs than fit goes on in the next.
std::vector<std::vector<PeerChange>> in_parts(const std::vector<PeerChange>& peers) {
  std::vector<std::vector<PeerChange>> parts(1);
  std::size_t room = most_in_message;
  for (PeerChange rest : peers) {
    while (true) {
      if (room < size_of_peer + size_of_allowed_ip) {
        parts.emplace_back();
        room = most_in_message;
      }
      room -= size_of_peer;
      const std::size_t fits = std::min(room / size_of_allowed_ip, rest.allowed_ips.size());
      room -= fits * size_of_allowed_ip;
      const auto behind = rest.allowed_ips.begin() + static_cast<std::ptrdiff_t>(fits);
      PeerChange part = rest;
      part.allowed_ips.assign(rest.allowed_ips.begin(), behind);
      parts.back().push_back(std::move(part));
      if (behind == rest.allowed_ips.end()) break;
      PeerChange next;
      next.public_key = rest.public_key;
      next.allowed_ips.assign(behind, rest.allowed_ips.end());
      rest = std::move(next);
      room = 0;
    }
  }
  return parts;
}

}  // namespace

Bytes family_query(std::string_view family) {
  MessageBuilder message = generic_message(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, 1);
  message.string(CTRL_ATTR_FAMILY_NAME, family);
  return std::move(message).finish();
}

Bytes tunnel_query(const IfName& name) {
  MessageBuilder message = wireguard_message(WG_CMD_GET_DEVICE);
  message.string(WGDEVICE_A_IFNAME, name.view());
  return std::move(message).finish();
}

std::vector<Bytes> tunnel_changes(const TunnelChange& change) {
  std::vector<Bytes> messages;
  for (const auto& peers : in_parts(change.peers)) {
    MessageBuilder message = wireguard_message(WG_CMD_SET_DEVICE);
    message.u32(WGDEVICE_A_IFINDEX, change.index);
    const std::size_t empty = message.size();
    if (messages.empty()) add_device(message, change);
    if (!peers.empty()) {
      message.nest(WGDEVICE_A_PEERS, [&](MessageBuilder& list) {
        for (const PeerChange& peer : peers) add_peer(list, peer);
      });
    }
    if (message.size() > empty) messages.push_back(std::move(message).finish());
  }
  return messages;
}

}  // namespace plumbline::wire
