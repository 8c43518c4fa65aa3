// Rows of the ledger on guests that are routed into a tunnel: a stand-in that was there before,
// named as `existingInterface`. What needs the real thing is in ledger_wireguard_test.cpp.

#include "tests/network/ledger.hpp"
#include "tests/network/watching.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class LedgerTunnel : public Ledger {
 protected:
  static std::string members(const std::string& tunnel = "", const std::string& more = "") {
    return R"("wireguard": {"existingInterface": "tun9")" + tunnel + "}" + more;
  }
  /// Packets of the guests that came out of the tunnel, with the tunnel's address.
  std::uint64_t tunnelled() { return tunnel().count({.from = tunnel_ip, .to = remote_ip}); }
  /// Ends the stream: some of it came through the tunnel and nothing by the uplink.
  void expect_all_tunnelled(Stream& stream) {
    stream.stop();
    EXPECT_GE(stream.per_second(), 1000);
    internet().settle();
    EXPECT_GT(tunnelled(), 0U);
    EXPECT_EQ(internet().count({.to = remote_ip}), 0U);
    expect_nothing_in_clear();
  }
};

TEST_F(LedgerTunnel, W1_TheTunnelCarriesGuestsOnAFreshHost) {
  tunnel();
  apply(members());
  const auto a = guest('a');
  EXPECT_EQ(a->pings(remote_ip), 3);
  EXPECT_EQ(tunnelled(), 3U);
  EXPECT_EQ(internet().count({.to = remote_ip}), 0U);
}

TEST_F(LedgerTunnel, W1_TheTunnelCarriesGuestsBesideRoutesOfOthersInItsTable) {
  tunnel();
  local();
  ip("route add 10.77.0.0/16 via 10.50.0.9 dev lan0 table 51820");
  const std::string before = ip("-N route show table 51820");
  apply(members());
  EXPECT_EQ(guest('a')->pings(remote_ip), 3);
  EXPECT_EQ(tunnelled(), 3U);
  remove_all();
  EXPECT_EQ(ip("-N route show table 51820"), before);
}

TEST_F(LedgerTunnel, W2_TheHostAnswersGuestsWhileTheTunnelIsOn) {
  tunnel();
  apply(members());
  const auto a = guest('a');
  EXPECT_EQ(a->pings(gateway_ip), 3);
  EXPECT_EQ(host_pings(guest_identity('a').ip), 3);
}

TEST_F(LedgerTunnel, W3_TheHostsOtherNetworksAreInTheTunnelOrDirect) {
  tunnel();
  local();
  apply(members());
  EXPECT_EQ(guest('a')->pings(neighbour_ip), 3);
  EXPECT_EQ(tunnel().count({.to = neighbour_ip}), 3U);
  EXPECT_EQ(local().count({.to = neighbour_ip}), 0U);
  apply(members("", R"(, "localNetworks": "direct")"));
  EXPECT_EQ(guest('a')->pings(neighbour_ip), 3);
  EXPECT_EQ(tunnel().count({.to = neighbour_ip}), 3U) << "no more than before";
  EXPECT_EQ(local().count({.carries = Carries::icmp, .from = local_ip, .to = neighbour_ip}), 3U);
  EXPECT_EQ(guest('a')->pings(remote_ip), 3) << "and the rest goes into the tunnel";
  EXPECT_EQ(tunnelled(), 3U);
}

TEST_F(LedgerTunnel, W4_ARestartFindsNothingToDo) {
  tunnel();
  apply(members("", ", " + std::string(deny_but_one)));
  restart();
  EXPECT_EQ(shown(site().prepare(network_spec(members("", ", " + std::string(deny_but_one))))),
            "No changes. The host matches the spec.\n");
}

TEST_F(LedgerTunnel, W5_TheRouteComesBackWithTheTunnelAndNothingIsInClear) {
  tunnel();
  Watching plumbline(network_spec(members()));
  const auto a = guest('a');
  Stream stream(*a, {a->udp(remote_ip, allowed_port)});
  ASSERT_TRUE(tunnel().await({.from = tunnel_ip}, 100));
  ip("link set tun9 down");
  stream.run_for(300);
  ip("link set tun9 up");
  tunnel().forget();
  EXPECT_TRUE(tunnel().await({.from = tunnel_ip}, 100)) << "after down and up\n" << plumbline.log();
  remove_tunnel();
  stream.run_for(300);
  tunnel();
  EXPECT_TRUE(tunnel().await({.from = tunnel_ip}, 100)) << "after it was deleted\n"
                                                        << plumbline.log();
  expect_all_tunnelled(stream);
}

TEST_F(LedgerTunnel, W6_BothSidesAreToldOfSegmentsThatFit) {
  tunnel();
  apply(members());
  const auto a = guest('a');
  ASSERT_TRUE(a->send(a->syn(remote_ip, 443)));
  const Like first{.carries = Carries::tcp, .to = remote_ip, .type = tcp_syn};
  const Like answer{.carries = Carries::tcp, .from = remote_ip, .type = tcp_syn_ack};
  ASSERT_TRUE(tunnel().await(first));
  EXPECT_EQ(tunnel().received(first).front().mss, 1240);
  ASSERT_TRUE(a->await(answer));
  EXPECT_EQ(a->received(answer).front().mss, 1240);
}

TEST_F(LedgerTunnel, W6_AGuestLearnsTheMtu) {
  tunnel();
  apply(members("", ", " + std::string(deny_but_one)));
  const auto a = guest('a');
  Packet large = a->udp(remote_ip, allowed_port);
  large.size = 1400;
  large.whole = true;
  ASSERT_TRUE(a->send(large));
  const Like told{.carries = Carries::icmp, .to_port = 1280, .type = icmp_unreachable};
  ASSERT_TRUE(a->await(told)) << "fragmentation needed";
  EXPECT_EQ(a->received(told).front().code, 4);
}

TEST_F(LedgerTunnel, W9_ATunnelThatNothingIsRoutedIntoIsLeftAlone) {
  tunnel();
  apply(members(R"(, "routeAllVmTraffic": false, "failClosed": false)"));
  EXPECT_EQ(guest('a')->pings(remote_ip), 3);
  EXPECT_EQ(tunnel().count({.to = remote_ip}), 0U);
  EXPECT_EQ(internet().count({.from = uplink_ip, .to = remote_ip}), 3U);
  expect_nothing_in_clear();
}

TEST_F(LedgerTunnel, W13_AnEstablishedFlowDoesNotLeaveByTheUplink) {
  tunnel();
  apply("");
  const auto a = guest('a');
  Stream stream(*a, {a->udp(remote_ip, allowed_port)});
  ASSERT_TRUE(a->await({.from = remote_ip, .from_port = allowed_port}, 50)) << "by the uplink";
  apply(members());
  internet().settle({.to = remote_ip});
  internet().forget();
  ASSERT_TRUE(tunnel().await({.from = tunnel_ip}, 100)) << "the flow has moved";
  ip("link set tun9 down");
  stream.run_for(500);
  ip("route flush table 51820");
  stream.run_for(500);
  expect_all_tunnelled(stream);
}

TEST_F(LedgerTunnel, W13_TheFirstSetUpAndTheRemovalLetNothingOutInClear) {
  tunnel();
  sysctl("net/ipv4/ip_forward", "1");
  apply_under_fire(site().prepare(network_spec(members())));
  attack->run_for(100);
  site().options.allow_empty = true;
  apply_under_fire(site().prepare(R"({"version": 1})"));
  expect_all_tunnelled(*attack);
}

TEST_F(LedgerTunnel, W14_WithoutFailClosedTheUplinkTakesOverWithItsOwnAddress) {
  tunnel();
  apply(members(R"(, "failClosed": false)"));
  const auto a = guest('a');
  Stream stream(*a, {a->udp(remote_ip, allowed_port)});
  ASSERT_TRUE(a->await({.from = remote_ip, .from_port = allowed_port}, 50)) << "by the tunnel";
  EXPECT_GT(tunnelled(), 0U);
  EXPECT_EQ(internet().count({.to = remote_ip}), 0U);
  ip("link set tun9 down");
  EXPECT_TRUE(internet().await({.from = uplink_ip, .to = remote_ip}, 100));
  stream.run_for(500);
  stream.stop();
  EXPECT_GE(stream.per_second(), 1000);
  internet().settle();
  EXPECT_EQ(internet().count({.to = remote_ip}),
            internet().count({.from = uplink_ip, .to = remote_ip}));
}

TEST_F(LedgerTunnel, W15_AnUnreachableDefaultOfAnotherIsNoConflict) {
  tunnel();
  ip("route add unreachable default metric 4278198272 table 51820");
  apply(members());
  EXPECT_EQ(guest('a')->pings(remote_ip), 3);
  EXPECT_EQ(tunnelled(), 3U);
  remove_all();
  EXPECT_THAT(ip("route show table 51820"), HasSubstr("unreachable default"));
}

TEST_F(LedgerTunnel, W15_ADefaultOfAnotherThatWouldWinIsAConflict) {
  tunnel();
  local();
  ip("route add default via 10.50.0.9 dev lan0 table 51820");
  EXPECT_THAT([this] { refusal_of(network_spec(members())); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("FOREIGN_CONFLICT")));
  EXPECT_THAT(ip("link show"), Not(HasSubstr("br0"))) << "and nothing was changed";
}

TEST_F(LedgerTunnel, W20_TheGuardOfTheTunnelHoldsWithoutTheFilterTable) {
  tunnel();
  apply(members());
  attach();
  ASSERT_TRUE(tunnel().await({.from = tunnel_ip}, 50));
  must_run({"iptables-nft", "-F"});
  must_run({"iptables-nft", "-I", "FORWARD", "-j", "ACCEPT"});
  ip("rule flush");
  ip("rule add lookup main priority 32766");
  attack->run_for(500);
  expect_all_tunnelled(*attack);
}

}  // namespace
}  // namespace plumbline::test
