// Rows of the ledger on guests that lie about who they are, or walk around what looks at them.

#include "tests/network/ledger.hpp"
#include "tests/support/host_port.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;

const IpAddress guest_ipv6 = "fd00:30::10"_ip;
const IpAddress remote_ipv6 = "2001:db8::7"_ip;

/// One forged frame for each way of lying; they can be told by their port.
struct Lie {
  std::string what;
  Packet packet;
};

class LedgerSpoofing : public Ledger {
 protected:
  static std::vector<Lie> lies(const Station& a) {
    std::vector<Lie> all;
    const auto lie = [&](std::string what, auto change) {
      Packet packet = a.udp(remote_ip, static_cast<std::uint16_t>(8001 + all.size()));
      change(packet);
      all.push_back({std::move(what), packet});
    };
    lie("another guest's address", [](Packet& p) { p.from = guest_identity('b').ip; });
    lie("a free address of the subnet", [](Packet& p) { p.from = "10.30.0.99"_ip; });
    lie("an address of elsewhere", [](Packet& p) { p.from = "198.51.100.9"_ip; });
    lie("the host's address", [](Packet& p) { p.from = uplink_ip; });
    lie("no address", [](Packet& p) { p.from = IpAddress(); });
    lie("another guest's MAC", [](Packet& p) { p.from_mac = guest_identity('b').mac; });
    lie("an unknown MAC", [](Packet& p) { p.from_mac = "02:00:00:00:77:77"_mac; });
    lie("both of another guest", [](Packet& p) {
      p.from = guest_identity('b').ip;
      p.from_mac = guest_identity('b').mac;
    });
    return all;
  }

  static Packet arp_claim(const Station& a, const IpAddress& whose) {
    Packet packet = a.question(whose);
    packet.from = whose;
    packet.from_port = arp_reply;
    return packet;
  }

  static std::string lladdr_of(const IpAddress& neighbour) {
    return run({"ip", "neighbour", "show", "to", format(neighbour), "dev", "br0"}).output;
  }

  /// Where the bridge thinks a MAC is, one line each.
  static std::string places_of(const Mac& mac) {
    std::string lines;
    std::istringstream all(must_run({"bridge", "fdb", "show", "br", "br0"}));
    for (std::string line; std::getline(all, line);) {
      if (line.starts_with(format(mac))) lines += line + "\n";
    }
    return lines;
  }

  /// Packets to the allowed port and the denied one, as a host takes them that is asked to forward
  /// by whatever interface they come in: outside of a bridge too.
  static std::vector<Packet> both_by_the_tap(const Station& a) {
    sysctl("net/ipv4/conf/all/rp_filter", "0");
    sysctl("net/ipv4/conf/tapa/rp_filter", "0");
    const std::string tap = must_run({"ip", "-o", "link", "show", "tapa"});
    const std::string ether = "link/ether ";
    std::vector<Packet> packets{a.udp(remote_ip, allowed_port), a.udp(remote_ip, denied_port)};
    for (Packet& packet : packets) {
      packet.to_mac = Mac::parse(tap.substr(tap.find(ether) + ether.size(), 17)).value();
    }
    return packets;
  }

  /// IPv6 through the host works as far as it is concerned.
  static void let_ipv6_through() {
    sysctl("net/ipv6/conf/all/forwarding", "1");
    sysctl("net/ipv6/conf/default/forwarding", "1");
    ip("-6 neighbour add fe80::99 lladdr 02:00:00:00:99:01 dev up0 nud permanent");
    ip("-6 route add default via fe80::99 dev up0");
  }
};

TEST_F(LedgerSpoofing, W16_Ipv6DoesNotWalkAroundTheFirewall) {
  let_ipv6_through();
  const auto stream_from = [](const Station& a) {
    Packet packet = a.udp(remote_ip, denied_port);
    packet.carries = Carries::ipv6;
    packet.from = guest_ipv6;
    packet.to = remote_ipv6;
    return Stream(a, {packet, a.udp(remote_ip, allowed_port)});
  };
  const Like its_ipv6{.carries = Carries::ipv6, .from = guest_ipv6};
  apply(std::string(deny_but_one) + R"(, "ipv6": "ignore")");
  {
    const auto a = guest('a');
    const Stream stream = stream_from(*a);
    EXPECT_TRUE(internet().await(its_ipv6)) << "it is let through when nobody minds";
  }
  for (const char* const spoofing : {"true", "false"}) {
    apply(std::string(deny_but_one) + R"(, "antiSpoofing": )" + spoofing);
    internet().settle(its_ipv6);
    internet().forget();
    const auto a = guest('a');
    Stream stream = stream_from(*a);
    stream.run_for(500);
    expect_only_allowed(stream);
    EXPECT_EQ(internet().count(its_ipv6), 0U) << spoofing;
  }
}

TEST_F(LedgerSpoofing, W17_AForgedSourceGetsNowhere) {
  apply(R"("antiSpoofing": false)");
  for (const bool guarded : {false, true}) {
    if (guarded) apply("");
    const auto a = guest('a');
    const auto b = guest('b');
    internet().settle();
    internet().forget();
    std::vector<Packet> packets{a->udp(remote_ip, allowed_port)};
    for (const Lie& lie : lies(*a)) packets.push_back(lie.packet);
    Stream stream(*a, packets, 1200);
    stream.run_for(guarded ? 400 : 50);
    stream.stop();
    EXPECT_GE(stream.per_second(), 1000);
    internet().settle();
    EXPECT_GT(internet().count({.from = uplink_ip, .to_port = allowed_port}), 0U);
    for (const Lie& lie : lies(*a)) {
      const std::uint64_t seen = internet().count({.to_port = lie.packet.to_port});
      // The kernel itself forwards nothing from no address, or from one of its own.
      const bool ever = lie.packet.from != IpAddress() && lie.packet.from != uplink_ip;
      if (guarded || !ever) {
        EXPECT_EQ(seen, 0U) << lie.what;
      } else {
        EXPECT_GT(seen, 0U) << lie.what;
      }
    }
  }
}

TEST_F(LedgerSpoofing, W17_AForgedArpReachesNobody) {
  apply(R"("antiSpoofing": false)");
  for (const bool guarded : {false, true}) {
    if (guarded) apply("");
    const auto a = guest('a');
    const auto b = guest('b');
    Packet other_mac = a->question(gateway_ip);
    other_mac.arp_mac = guest_identity('b').mac;
    Packet probe = a->question("10.30.0.77"_ip);
    probe.from = IpAddress();
    const Like of_a{.carries = Carries::arp, .from_mac = guest_identity('a').mac};
    b->forget();
    Stream stream(
        *a, {arp_claim(*a, gateway_ip), arp_claim(*a, guest_identity('b').ip), other_mac, probe});
    // What it heard a second ago the host does not yet doubt (locktime, arp(7)).
    stream.run_for(guarded ? 300 : 2000);
    stream.stop();
    b->settle();
    Like claim = of_a;
    for (const IpAddress& whose : {gateway_ip, guest_identity('b').ip}) {
      claim.from = whose;
      EXPECT_EQ(b->count(claim) == 0, guarded) << format(whose);
    }
    claim.from = IpAddress();
    EXPECT_GT(b->count(claim), 0U) << "a probe is no lie";
    const bool believed = lladdr_of(guest_identity('b').ip).find(format(guest_identity('a').mac)) !=
                          std::string::npos;
    EXPECT_EQ(believed, !guarded) << lladdr_of(guest_identity('b').ip);
    if (guarded) {
      EXPECT_EQ(b->pings(gateway_ip), 3) << "the truth is let through";
    }
  }
}

TEST_F(LedgerSpoofing, W17_WhatIsNeitherIpv4NorArpIsDropped) {
  apply(R"("antiSpoofing": false, "ipv6": "ignore")");
  for (const bool guarded : {false, true}) {
    if (guarded) apply("");
    const auto a = guest('a');
    const auto b = guest('b');
    b->forget();
    Packet tagged = a->udp(remote_ip, denied_port);
    tagged.vlan = 7;
    tagged.to_mac = guest_identity('b').mac;
    Packet rarp{.from_mac = guest_identity('a').mac,
                .to_mac = "ff:ff:ff:ff:ff:ff"_mac,
                .carries = Carries::other,
                .ether_type = rarp_type};
    Packet ipv6 = a->udp(remote_ip, denied_port);
    ipv6.carries = Carries::ipv6;
    ipv6.from = guest_ipv6;
    ipv6.to = remote_ipv6;
    ipv6.to_mac = guest_identity('b').mac;
    Stream stream(*a, {tagged, rarp, ipv6, a->question(guest_identity('b').ip)});
    stream.run_for(300);
    stream.stop();
    b->settle();
    for (const Carries carries : {Carries::udp, Carries::other, Carries::ipv6}) {
      EXPECT_EQ(b->count({.carries = carries, .from_mac = guest_identity('a').mac}) == 0, guarded)
          << static_cast<int>(carries);
    }
    EXPECT_GT(b->count({.carries = Carries::arp, .from_mac = guest_identity('a').mac}), 0U);
  }
}

TEST_F(LedgerSpoofing, W18_FramesThatABridgeHandsOnAsItsPortsAreNoWayToTheHost) {
  apply(R"("firewall": {"host": {"defaultAction": "deny"}}, "antiSpoofing": false)");
  const auto a = guest('a');
  const HostPort port(denied_port);
  std::vector<Packet> frames;
  for (const Mac& to : {"01:80:c2:00:00:02"_mac, "01:80:c2:00:00:03"_mac, "01:80:c2:00:00:0e"_mac,
                        "01:80:c2:00:00:0f"_mac}) {
    for (const IpAddress& address : {gateway_ip, uplink_ip}) {
      frames.push_back(a->udp(address, denied_port));
      frames.back().to_mac = to;
    }
  }
  const auto arrives = [&] {
    Stream stream(*a, frames);
    stream.run_for(300);
    stream.stop();
    return port.arrived() > 0;
  };
  EXPECT_FALSE(arrives());
  ip("link set tapa type bridge_slave group_fwd_mask 0");
  EXPECT_FALSE(arrives()) << "they are handed on, and dropped then";
  must_run({"iptables-nft", "-t", "raw", "-F", "PREROUTING"});
  EXPECT_TRUE(arrives());
}

TEST_F(LedgerSpoofing, W10_ATapThatIsTakenOutOfItsBridgeSendsNothing) {
  apply(deny_but_one);
  const auto a = guest('a');
  const std::vector<Packet> packets = both_by_the_tap(*a);
  ip("link set tapa nomaster");
  for (const bool guarded : {true, false}) {
    if (!guarded) must_run({"iptables-nft", "-t", "raw", "-F", "PREROUTING"});
    internet().settle();
    internet().forget();
    Stream stream(*a, packets);
    stream.run_for(300);
    stream.stop();
    internet().settle();
    EXPECT_EQ(internet().count({.to_port = denied_port}) == 0, guarded);
    EXPECT_EQ(internet().count({.to_port = allowed_port}) == 0, guarded);
  }
}

/// Between two bridges it is in none for about a millisecond, so it moves often.
TEST_F(LedgerSpoofing, W10_ATapThatMovesToAnotherBridgeSendsNothingOnTheWay) {
  const auto on = [](const std::string& bridge) {
    std::string spec = network_spec(deny_but_one);
    spec.replace(spec.find("br0"), 3, bridge);
    return spec;
  };
  apply(deny_but_one);
  const auto a = guest('a');
  Stream stream(*a, both_by_the_tap(*a), 4000);
  ASSERT_TRUE(internet().await({.from = uplink_ip, .to_port = allowed_port}, 10));
  for (int i = 0; i < 24; ++i) site().apply(on(i % 2 == 0 ? "br7" : "br0"));
  stream.stop();
  EXPECT_GE(stream.per_second(), 1000);
  internet().settle();
  EXPECT_EQ(internet().count({.to_port = denied_port}), 0U);
}

/// Nor where the guard of the gateway is gone, which stops it with `isolation` and without.
TEST_F(LedgerSpoofing, N2_IsolationIsNotBypassedThroughTheGateway) {
  constexpr std::uint16_t by_gateway = 8001;
  constexpr std::uint16_t direct = 8002;
  for (const std::string isolation : {"false", "true"}) {
    for (const bool guarded : {true, false}) {
      apply(R"("isolation": )" + isolation);
      if (!guarded) must_run({"ebtables-nft", "-t", "nat", "-F", "PREROUTING"});
      const auto a = guest('a');
      const auto b = guest('b');
      Packet neighbourly = a->udp(guest_identity('b').ip, direct);
      neighbourly.to_mac = guest_identity('b').mac;
      Stream stream(*a, {a->udp(guest_identity('b').ip, by_gateway), neighbourly,
                         a->udp(remote_ip, allowed_port)});
      stream.run_for(300);
      stream.stop();
      EXPECT_GE(stream.per_second(), 1000);
      b->settle();
      EXPECT_TRUE(internet().await({.from = uplink_ip, .to_port = allowed_port}));
      EXPECT_EQ(b->count({.to_port = by_gateway}) == 0, guarded || isolation == "true");
      EXPECT_EQ(b->count({.to_port = direct}) == 0, isolation == "true");
    }
  }
}

TEST_F(LedgerSpoofing, N4_TheForwardingDatabaseIsNotPoisoned) {
  apply(R"("antiSpoofing": false)");
  const Mac to_bridges = "01:80:c2:00:00:00"_mac;
  const Mac to_neighbours = "01:80:c2:00:00:0e"_mac;
  for (const bool guarded : {false, true}) {
    if (guarded) apply("");
    const auto a = guest('a');
    const auto b = guest('b');
    const Mac mac_of_b = guest_identity('b').mac;
    const std::string before = places_of(mac_of_b);
    EXPECT_THAT(before, HasSubstr("tapb"));
    std::vector<Packet> forged(4, a->udp(remote_ip, denied_port));
    forged[1].to_mac = to_bridges;
    forged[2] = {.to_mac = to_neighbours, .carries = Carries::other, .ether_type = 0x88cc};
    forged[3] = arp_claim(*a, guest_identity('b').ip);
    for (Packet& packet : forged) packet.from_mac = mac_of_b;
    Stream stream(*a, forged);
    stream.run_for(300);
    stream.stop();
    EXPECT_EQ(places_of(mac_of_b) == before, guarded) << places_of(mac_of_b);
  }
}

}  // namespace
}  // namespace plumbline::test
