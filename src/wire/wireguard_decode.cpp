// What the kernel says of a WireGuard device (drivers/net/wireguard/netlink.c,
// wg_get_device_dump()).

#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

#include <utility>

#include "plumbline/wire/wireguard.hpp"

namespace plumbline::wire {

namespace {

template <class Key>
Key key_in(const Attribute& attribute) {
  const auto key = Key::from_bytes(attribute.payload());
  if (!key) throw Malformed("a WireGuard key of a wrong size");
  return *key;
}

/// All zeros stands for none.
std::optional<SecretKey> secret_in(const Attribute& attribute) {
  auto key = key_in<SecretKey>(attribute);
  if (key.is_zero()) return std::nullopt;
  return key;
}

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

Endpoint endpoint_in(const Attribute& attribute) {
  switch (attribute.read<sa_family_t>()) {
    case AF_INET: {
      const auto address = attribute.read<sockaddr_in>();
      return {*IpAddress::from_bytes(bytes_of(address.sin_addr)), ntohs(address.sin_port)};
    }
    case AF_INET6: {
      const auto address = attribute.read<sockaddr_in6>();
      return {*IpAddress::from_bytes(bytes_of(address.sin6_addr)), ntohs(address.sin6_port),
              address.sin6_scope_id};
    }
    default:
      throw Malformed("a WireGuard endpoint of an unknown family");
  }
}

Prefix allowed_ip_in(const Attribute& nest) {
  std::optional<IpAddress> address;
  std::optional<std::uint8_t> length;
  for_each_attribute(nest.payload(), [&](const Attribute& attribute) {
    if (attribute.type() == WGALLOWEDIP_A_IPADDR) address = attribute.address();
    if (attribute.type() == WGALLOWEDIP_A_CIDR_MASK) length = attribute.u8();
  });
  if (!address || !length || *length > address->bytes().size() * 8) {
    throw Malformed("an allowed IP that is none");
  }
  return Prefix::masking(*address, *length);
}

void read_attribute(DumpedPeer& peer, const Attribute& attribute) {
  switch (attribute.type()) {
    case WGPEER_A_PUBLIC_KEY:
      peer.public_key = key_in<PublicKey>(attribute);
      break;
    case WGPEER_A_PRESHARED_KEY:
      peer.preshared_key = secret_in(attribute);
      break;
    case WGPEER_A_ENDPOINT:
      peer.endpoint = endpoint_in(attribute);
      break;
    case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
      peer.keepalive = attribute.u16();
      break;
    case WGPEER_A_RX_BYTES:
      // Counted when a packet has proven authentic, as is a new endpoint (receive.c).
      peer.heard = attribute.read<std::uint64_t>() != 0;
      break;
    case WGPEER_A_ALLOWEDIPS:
      for_each_attribute(attribute.payload(), [&](const Attribute& nest) {
        peer.allowed_ips.push_back(allowed_ip_in(nest));
      });
      break;
    default:
      break;
  }
}

/// The last peer of a message goes on in the next one, which then names it again.
void add_peer(DumpedTunnel& tunnel, const Attribute& nest) {
  DumpedPeer peer;
  for_each_attribute(nest.payload(), [&](const Attribute& each) { read_attribute(peer, each); });
  if (tunnel.peers.empty() || tunnel.peers.back().public_key != peer.public_key) {
    tunnel.peers.push_back(std::move(peer));
    return;
  }
  auto& known = tunnel.peers.back().allowed_ips;
  known.insert(known.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
}

void read_attribute(DumpedTunnel& tunnel, const Attribute& attribute) {
  switch (attribute.type()) {
    case WGDEVICE_A_PRIVATE_KEY:
      tunnel.private_key = secret_in(attribute);
      break;
    case WGDEVICE_A_LISTEN_PORT:
      tunnel.listen_port = attribute.u16();
      break;
    case WGDEVICE_A_FWMARK:
      tunnel.fwmark = attribute.u32();
      break;
    case WGDEVICE_A_PEERS:
      for_each_attribute(attribute.payload(),
                         [&](const Attribute& nest) { add_peer(tunnel, nest); });
      break;
    default:
      break;
  }
}

}  // namespace

std::uint16_t read_family(const Bytes& answer) {
  std::optional<std::uint16_t> number;
  for_each_message(answer, [&](const Message& message) {
    message.attributes<genlmsghdr>([&](const Attribute& attribute) {
      if (attribute.type() == CTRL_ATTR_FAMILY_ID) number = attribute.u16();
    });
  });
  if (!number || *number < GENL_MIN_ID)
    throw Malformed("a generic netlink family without a number");
  return *number;
}

std::optional<IfName> tunnel_name(const Bytes& query) {
  std::optional<IfName> name;
  for_each_message(query, [&](const Message& message) {
    message.attributes<genlmsghdr>([&](const Attribute& attribute) {
      if (attribute.type() == WGDEVICE_A_IFNAME) name = IfName::parse(attribute.string());
    });
  });
  return name;
}

DumpedTunnel read_tunnel(const Bytes& answer) {
  DumpedTunnel tunnel;
  for_each_message(answer, [&](const Message& message) {
    if (message.fixed<genlmsghdr>().cmd != WG_CMD_GET_DEVICE) return;
    message.attributes<genlmsghdr>(
        [&](const Attribute& attribute) { read_attribute(tunnel, attribute); });
  });
  return tunnel;
}

}  // namespace plumbline::wire
