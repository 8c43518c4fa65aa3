// That the stations which the tests of this folder believe see and say what they should: without
// plumbline, on a bridge and a route made with ip(8).

#include <gmock/gmock.h>

#include "tests/support/world.hpp"

namespace plumbline::test {
namespace {

TEST(Packets, AreTheSameAfterBeingTakenApart) {
  Packet packet{.from_mac = "02:00:00:00:00:01"_mac,
                .to_mac = "02:00:00:00:00:02"_mac,
                .from = "10.0.0.1"_ip,
                .to = "10.0.0.2"_ip,
                .from_port = 1,
                .to_port = 2,
                .size = 40};
  EXPECT_EQ(parse(bytes_of(packet, Layer::ethernet), Layer::ethernet), packet) << format(packet);
  packet.vlan = 7;
  packet.whole = true;
  EXPECT_EQ(parse(bytes_of(packet, Layer::ethernet), Layer::ethernet), packet);
  packet.carries = Carries::tcp;
  packet.type = tcp_syn;
  packet.mss = 1460;
  EXPECT_EQ(parse(bytes_of(packet, Layer::ethernet), Layer::ethernet), packet);
  packet = {.carries = Carries::ipv6, .from = "fd00::1"_ip, .to = "fd00::2"_ip, .to_port = 9};
  EXPECT_EQ(parse(bytes_of(packet, Layer::ip), Layer::ip), packet);
  packet = {.carries = Carries::icmp, .to_port = 1280, .type = icmp_unreachable, .code = 4};
  EXPECT_EQ(parse(bytes_of(packet, Layer::ip), Layer::ip), packet);
}

TEST(Packets, ThatAreCutOffAreNone) {
  const std::string whole = bytes_of({.carries = Carries::tcp, .mss = 1460}, Layer::ip);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse(whole.substr(0, size), Layer::ip), std::nullopt) << size;
  }
}

class Stations : public World {
 protected:
  /// What plumbline would make, without any guard.
  void make_network() {
    ip("link add br0 type bridge");
    ip("link set br0 address " + format(bridge_mac_of()));
    ip("address add 10.30.0.1/24 dev br0");
    for (const char name : {'a', 'b'}) {
      const std::string tap = guest_identity(name).tap;
      must_run({"ip", "tuntap", "add", tap, "mode", "tap"});
      ip("link set " + tap + " master br0 up");
    }
    ip("link set br0 up");
    sysctl("net/ipv4/ip_forward", "1");
  }
};

TEST_F(Stations, MeetAcrossTheHostAndTheSnifferSeesEveryPacket) {
  make_network();
  const auto a = guest('a');
  a->learn_gateway(gateway_ip);
  EXPECT_EQ(a->pings(gateway_ip), 3);
  EXPECT_EQ(host_pings(guest_identity('a').ip), 3);
  EXPECT_EQ(a->pings(remote_ip), 3);
  Stream stream = both_ports(*a);
  stream.run_for(500);
  stream.stop();
  EXPECT_GE(stream.per_second(), 1000);
  internet().settle();
  for (const std::uint16_t port : {allowed_port, denied_port}) {
    EXPECT_EQ(internet().count({.from = guest_identity('a').ip, .to_port = port}), stream.sent());
    EXPECT_TRUE(a->await({.from = remote_ip, .from_port = port}, stream.sent()))
        << "every packet is answered";
  }
}

TEST_F(Stations, ForgeWhatTheyLike) {
  make_network();
  const auto a = guest('a');
  const auto b = guest('b');
  b->learn_gateway(gateway_ip);
  Packet forged = a->udp(remote_ip, denied_port);
  forged.from = "192.0.2.99"_ip;
  forged.from_mac = guest_identity('b').mac;
  ASSERT_TRUE(a->send(forged));
  EXPECT_TRUE(internet().await({.from = "192.0.2.99"_ip}));
  EXPECT_THAT(must_run({"bridge", "fdb", "show", "br", "br0"}),
              ::testing::HasSubstr(format(guest_identity('b').mac) + " dev tapa"));
}

TEST_F(Stations, OfATunnelHaveNoEthernet) {
  make_network();
  tunnel();
  ip("route add 203.0.113.0/24 dev tun9");
  const auto a = guest('a');
  EXPECT_EQ(a->pings(remote_ip), 3);
  EXPECT_EQ(tunnel().count({.carries = Carries::icmp}), 3U);
  EXPECT_EQ(internet().count({.carries = Carries::icmp}), 0U);
}

}  // namespace
}  // namespace plumbline::test
