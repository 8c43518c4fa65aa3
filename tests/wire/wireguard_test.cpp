#include "plumbline/wire/wireguard.hpp"

#include <gmock/gmock.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

namespace plumbline::wire {
namespace {

using ::testing::SizeIs;

PublicKey key_of(unsigned char number) {
  std::array<std::byte, key_size> bytes{};
  bytes.fill(std::byte{number});
  return *PublicKey::from_bytes(bytes);
}

SecretKey secret_of(unsigned char number) { return *SecretKey::from_bytes(key_of(number).bytes()); }

MessageBuilder answer() {
  MessageBuilder message(40, NLM_F_MULTI);
  message.header(genlmsghdr{WG_CMD_GET_DEVICE, 1, 0});
  return message;
}

using Fill = std::function<void(MessageBuilder&)>;

/// A message with one peer in it.
Bytes with_peer(const Fill& fill) {
  MessageBuilder message = answer();
  message.nest(WGDEVICE_A_PEERS, [&](MessageBuilder& peers) { peers.nest(0, fill); });
  return std::move(message).finish();
}

void allow(MessageBuilder& peer, const char* address, std::uint8_t length) {
  peer.nest(WGPEER_A_ALLOWEDIPS, [&](MessageBuilder& list) {
    list.nest(0, [&](MessageBuilder& entry) {
      entry.address(WGALLOWEDIP_A_IPADDR, *IpAddress::parse(address));
      entry.u8(WGALLOWEDIP_A_CIDR_MASK, length);
    });
  });
}

Bytes joined(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TEST(WireGuardWire, ADeviceIsReadWithWhatGoesOnInTheNextMessage) {
  MessageBuilder device = answer();
  device.u16(WGDEVICE_A_LISTEN_PORT, 51820);
  device.u32(WGDEVICE_A_FWMARK, 7);
  device.bytes(WGDEVICE_A_PRIVATE_KEY, secret_of(9).bytes());
  const Bytes first = joined(std::move(device).finish(), with_peer([](MessageBuilder& peer) {
                               peer.bytes(WGPEER_A_PUBLIC_KEY, key_of(1).bytes());
                               peer.bytes(WGPEER_A_PRESHARED_KEY, SecretKey().bytes());
                               peer.u16(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 25);
                               sockaddr_in6 to{};
                               to.sin6_family = AF_INET6;
                               to.sin6_port = htons(99);
                               to.sin6_addr.s6_addr[15] = 1;
                               peer.bytes(WGPEER_A_ENDPOINT, std::as_bytes(std::span(&to, 1)));
                               allow(peer, "10.0.0.0", 8);
                             }));
  const Bytes second = with_peer([](MessageBuilder& peer) {
    peer.bytes(WGPEER_A_PUBLIC_KEY, key_of(1).bytes());
    allow(peer, "fd00::1", 128);
  });
  const Bytes third = with_peer([](MessageBuilder& peer) {
    peer.bytes(WGPEER_A_PUBLIC_KEY, key_of(2).bytes());
    peer.bytes(WGPEER_A_PRESHARED_KEY, secret_of(3).bytes());
  });
  const DumpedTunnel tunnel = read_tunnel(joined(joined(first, second), third));
  EXPECT_EQ(tunnel.listen_port, 51820);
  EXPECT_EQ(tunnel.fwmark, 7U);
  EXPECT_EQ(tunnel.private_key, secret_of(9));
  ASSERT_THAT(tunnel.peers, SizeIs(2));
  EXPECT_EQ(tunnel.peers[0].preshared_key, std::nullopt);
  EXPECT_EQ(tunnel.peers[0].keepalive, 25);
  EXPECT_EQ(format(*tunnel.peers[0].endpoint), "[::1]:99");
  ASSERT_THAT(tunnel.peers[0].allowed_ips, SizeIs(2));
  EXPECT_EQ(format(tunnel.peers[0].allowed_ips[1]), "fd00::1/128");
  EXPECT_EQ(tunnel.peers[1].preshared_key, secret_of(3));
}

TEST(WireGuardWire, WhatCannotBeSoIsMalformed) {
  const auto refused = [](const Fill& fill) {
    const Bytes bytes = with_peer(fill);
    EXPECT_THROW(static_cast<void>(read_tunnel(bytes)), Malformed);
  };
  const std::array<std::byte, 31> short_key{};
  refused([&](MessageBuilder& peer) { peer.bytes(WGPEER_A_PUBLIC_KEY, short_key); });
  refused([&](MessageBuilder& peer) { peer.bytes(WGPEER_A_PRESHARED_KEY, short_key); });
  refused([&](MessageBuilder& peer) { peer.bytes(WGPEER_A_ENDPOINT, {}); });
  refused([](MessageBuilder& peer) { peer.u16(WGPEER_A_ENDPOINT, AF_UNIX); });
  refused([](MessageBuilder& peer) { peer.u16(WGPEER_A_ENDPOINT, AF_INET); });
  refused([](MessageBuilder& peer) { allow(peer, "10.0.0.0", 33); });
  refused([](MessageBuilder& peer) { peer.u16(WGPEER_A_RX_BYTES, 1); });
  refused([](MessageBuilder& peer) {
    peer.nest(WGPEER_A_ALLOWEDIPS, [](MessageBuilder& list) { list.nest(0, [](auto&) {}); });
  });
  EXPECT_THROW(static_cast<void>(read_family({})), Malformed);
  MessageBuilder device = answer();
  device.u8(WGDEVICE_A_LISTEN_PORT, 1);
  const Bytes bytes = std::move(device).finish();
  EXPECT_THROW(static_cast<void>(read_tunnel(bytes)), Malformed);
}

TEST(WireGuardWire, AQuestionNamesItsDevice) {
  EXPECT_EQ(tunnel_name(tunnel_query(*IfName::parse("wg0"))), IfName::parse("wg0"));
}

/// Peers, allowed IPs and flags in the order in which the messages say them. What a change says of
/// a peer has the attributes of what a dump says of it.
DumpedTunnel said(const std::vector<Bytes>& messages) {
  Bytes all;
  for (Bytes bytes : messages) {
    EXPECT_LT(bytes.size(), 65000U);
    bytes[sizeof(nlmsghdr)] = std::byte{WG_CMD_GET_DEVICE};
    all = joined(std::move(all), bytes);
  }
  return read_tunnel(all);
}

TEST(WireGuardWire, ALargeChangeIsSpreadOverMessagesInItsOrder) {
  TunnelChange change;
  change.index = 5;
  change.private_key = secret_of(1);
  change.replace_peers = true;
  std::size_t allowed = 0;
  for (unsigned char number = 1; number <= 200; ++number) {
    PeerChange peer;
    peer.public_key = key_of(number);
    peer.kind = PeerChange::Kind::add;
    peer.preshared_key = secret_of(number);
    peer.endpoint = Endpoint::parse("[2001:db8::1]:51820");
    peer.keepalive = std::uint16_t{number};
    const unsigned many = number % 50 == 0 ? 2000 : number % 3;
    for (unsigned i = 0; i < many; ++i) {
      const std::array<std::byte, 4> bytes{std::byte{10}, std::byte{number},
                                           static_cast<std::byte>(i >> 8U),
                                           static_cast<std::byte>(i & 255U)};
      peer.allowed_ips.push_back(Prefix::masking(*IpAddress::from_bytes(bytes), 32));
      ++allowed;
    }
    change.peers.push_back(std::move(peer));
  }
  const std::vector<Bytes> messages = tunnel_changes(change);
  EXPECT_GT(messages.size(), 8U);
  for (const Bytes& bytes : messages) {
    std::uint32_t index = 0;
    std::size_t flags = 0;
    const Message message(bytes);
    message.attributes<genlmsghdr>([&](const Attribute& attribute) {
      if (attribute.type() == WGDEVICE_A_IFINDEX) index = attribute.u32();
      flags += attribute.type() == WGDEVICE_A_FLAGS ? 1U : 0U;
    });
    EXPECT_EQ(index, 5U);
    EXPECT_EQ(flags, &bytes == &messages.front() ? 1U : 0U) << "replaces the peers once";
  }
  const DumpedTunnel tunnel = said(messages);
  EXPECT_EQ(tunnel.private_key, secret_of(1));
  ASSERT_THAT(tunnel.peers, SizeIs(200));
  std::size_t seen = 0;
  for (std::size_t i = 0; i < tunnel.peers.size(); ++i) {
    EXPECT_EQ(tunnel.peers[i].public_key, change.peers[i].public_key);
    EXPECT_EQ(tunnel.peers[i].keepalive, *change.peers[i].keepalive);
    EXPECT_EQ(tunnel.peers[i].allowed_ips, change.peers[i].allowed_ips);
    seen += tunnel.peers[i].allowed_ips.size();
  }
  EXPECT_EQ(seen, allowed);
}

TEST(WireGuardWire, NothingToSayIsNoMessage) {
  TunnelChange change;
  change.index = 5;
  EXPECT_THAT(tunnel_changes(change), SizeIs(0));
  change.fwmark = 0;
  EXPECT_THAT(tunnel_changes(change), SizeIs(1));
}

}  // namespace
}  // namespace plumbline::wire
