// Rows of the ledger on packets by way of the gateway to addresses of the guests' own subnet.

#include "tests/network/ledger.hpp"

namespace plumbline::test {
namespace {

class LedgerGateway : public Ledger {
 protected:
  static void take_guard_away() { must_run({"ebtables-nft", "-t", "nat", "-F", "PREROUTING"}); }

  /// Of the host, on the bridge.
  static std::size_t neighbours() {
    const std::string lines = must_run({"ip", "neighbour", "show", "dev", "br0"});
    return static_cast<std::size_t>(std::ranges::count(lines, '\n'));
  }
  static int flows() { return std::stoi(sysctl("net/netfilter/nf_conntrack_count")); }
};

TEST_F(LedgerGateway, N16_NoNeighboursAreMadeByWayOfTheGateway) {
  apply("");
  const auto a = guest('a');
  const auto b = guest('b');
  std::vector<Packet> packets;
  for (int last = 0; last < 256; ++last) {
    if (last != 1) {
      packets.push_back(
          a->udp(IpAddress::parse("10.30.0." + std::to_string(last)).value(), denied_port));
    }
  }
  // Whoever holds the TAP may give it a MAC, and what is for that is for the host.
  const Mac own = "02:00:00:00:77:66"_mac;
  ip("link set tapa address " + format(own));
  for (std::size_t i = 0; i < 200; ++i) {
    packets.push_back(packets[i]);
    packets.back().to_mac = own;
  }
  for (const bool guarded : {true, false}) {
    if (!guarded) take_guard_away();
    b->settle();
    b->forget();
    const int before = flows();
    for (int round = 0; round < 8; ++round) {
      for (Packet& packet : packets) {
        packet.from_port = static_cast<std::uint16_t>(5000 + round);
        EXPECT_TRUE(a->send(packet));
      }
    }
    b->settle();
    if (guarded) {
      EXPECT_LE(neighbours(), 2U);
      EXPECT_LE(flows(), before + 2);
    } else {
      EXPECT_GT(neighbours(), 200U);
      EXPECT_GT(flows(), before + 7);  // those to addresses that are somebody's
    }
    EXPECT_EQ(b->count({.carries = Carries::udp}) == 0, guarded);
    EXPECT_EQ(a->pings(gateway_ip), 3);
  }
}

/// Of a packet from somebody else to the guest itself, what the guest sends is the answer.
TEST_F(LedgerGateway, N16_AForgedPacketToOneselfAllowsNoAnswer) {
  apply(std::string(deny_but_one) + R"(, "antiSpoofing": false)");
  const auto a = guest('a');
  Packet forged = a->udp(guest_identity('a').ip, 40000);
  forged.from = remote_ip;
  forged.from_port = denied_port;
  for (const bool guarded : {true, false}) {
    if (!guarded) take_guard_away();
    internet().settle();
    internet().forget();
    Stream stream(*a, {forged, a->udp(remote_ip, denied_port), a->udp(remote_ip, allowed_port)});
    stream.run_for(500);
    stream.stop();
    EXPECT_GE(stream.per_second(), 1000);
    internet().settle();
    EXPECT_GT(internet().count({.to_port = allowed_port}), 0U);
    EXPECT_EQ(internet().count({.to_port = denied_port}) == 0, guarded);
  }
}

/// Nor are they told to go directly, whatever `send_redirects` of all links says.
TEST_F(LedgerGateway, N16_NobodyIsRedirected) {
  constexpr std::uint8_t redirect = 5;
  sysctl("net/ipv4/conf/all/send_redirects", "1");
  apply("");
  const auto a = guest('a');
  const auto b = guest('b');
  for (const bool guarded : {true, false}) {
    if (!guarded) take_guard_away();
    a->forget();
    Stream stream(*a, {a->udp(guest_identity('b').ip, denied_port)});
    stream.run_for(300);
    stream.stop();
    a->settle();
    EXPECT_EQ(a->count({.carries = Carries::icmp, .type = redirect}) == 0, guarded);
  }
}

}  // namespace
}  // namespace plumbline::test
