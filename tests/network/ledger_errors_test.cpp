// Rows of the ledger on ICMP errors: a guest's about flows of others go nowhere, and those that
// path MTU discovery needs arrive.

#include "tests/network/ledger.hpp"
#include "tests/support/host_port.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint16_t host_port = 9000;
constexpr std::uint16_t tunnel_port = 51820;
const IpAddress guest_a = guest_identity('a').ip;
const IpAddress guest_b = guest_identity('b').ip;

Packet udp(const IpAddress& from, std::uint16_t from_port, const IpAddress& to,
           std::uint16_t to_port) {
  Packet packet;
  packet.from = from;
  packet.from_port = from_port;
  packet.to = to;
  packet.to_port = to_port;
  return packet;
}

class LedgerErrors : public Ledger {
 protected:
  static constexpr const char* closed = R"("firewall": {"egress": {"defaultAction": "deny"},
      "ingress": {"defaultAction": "deny"}, "host": {"defaultAction": "deny"}})";
  static constexpr const char* only_icmp = R"("firewall": {
      "egress": {"defaultAction": "deny", "rules": [{"action": "allow", "protocol": "icmp"}]},
      "host": {"defaultAction": "deny", "rules": [{"action": "allow", "protocol": "icmp"}]}})";

  /// As it comes from that guest, whatever it says.
  static Packet from_guest(const Station& guest, Packet error) {
    const Packet any = guest.udp(remote_ip, 1);
    error.from_mac = any.from_mac;
    error.to_mac = any.to_mac;
    return error;
  }
  static std::vector<Packet> from_guest(const Station& guest, const std::vector<Packet>& packets,
                                        const IpAddress& by) {
    std::vector<Packet> errors;
    for (const Packet& packet : packets) {
      errors.push_back(from_guest(guest, error_about(packet, by)));
      errors.push_back(from_guest(guest, error_about(packet, by, 600)));
    }
    return errors;
  }
  /// From who is on the uplink, to wherever the packet came from that it is about.
  Packet from_outside(const Packet& packet, std::uint16_t mtu) {
    Packet error = error_about(packet, "192.0.2.1"_ip, mtu);
    const Packet any = internet().udp(uplink_ip, 1);
    error.from_mac = any.from_mac;
    error.to_mac = any.to_mac;
    return error;
  }
  static void forward_port(const IpAddress& guest) {
    must_run({"iptables-nft", "-t", "nat", "-A", "PREROUTING", "-d", format(uplink_ip), "-p", "udp",
              "--dport", "9001", "-j", "DNAT", "--to-destination", format(guest) + ":7002"});
  }
  static constexpr std::uint16_t forwarded_port = 9001;
  static inline const Like an_error{.carries = Carries::icmp, .type = icmp_unreachable};
};

/// What is out there is told "refused" by, and the host itself, for whom the guest speaks.
TEST_F(LedgerErrors, N6_ErrorsOfAGuestAboutFlowsOfOthersGoNowhere) {
  const HostPort server(host_port);
  const HostPort tunnel_end(tunnel_port);
  // The peer's packets as they are behind NAT: of the host's own flows, and of another guest's.
  const std::vector<Packet> to_others{udp(remote_ip, 40000, uplink_ip, host_port),
                                      udp(uplink_ip, tunnel_port, remote_ip, tunnel_port),
                                      udp(remote_ip, allowed_port, guest_b, 40000)};
  const std::vector<std::string> policies{"", closed, only_icmp};
  for (std::size_t i = 0; i <= policies.size(); ++i) {
    const bool guarded = i < policies.size();
    apply(guarded ? policies[i] : "");
    if (!guarded) must_run({"iptables-nft", "-t", "mangle", "-F", "PREROUTING"});
    ASSERT_TRUE(internet().send(internet().udp(uplink_ip, host_port)));
    tunnel_end.speak_to(remote_ip, tunnel_port);
    const auto a = guest('a');
    const auto b = guest('b');
    b->send(b->udp(remote_ip, allowed_port));
    internet().settle();
    internet().forget();
    static_cast<void>(tunnel_end.error());
    Stream stream(*a, from_guest(*a, to_others, guest_a), 1100);
    stream.run_for(guarded ? 300 : 50);
    stream.stop();
    EXPECT_GE(stream.per_second(), 1000);
    internet().settle();
    EXPECT_EQ(internet().count(an_error) == 0, guarded) << i;
    EXPECT_EQ(tunnel_end.error() == 0, guarded) << i;
    const std::string route = ip("route get 203.0.113.7");
    EXPECT_EQ(route.find("mtu 600") == std::string::npos, guarded) << i << route;
  }
}

/// An error about a flow that conntrack has no memory of still finds the host's socket.
TEST_F(LedgerErrors, N6_ErrorsAboutNoFlowAreNotBelieved) {
  must_run({"iptables-nft", "-t", "raw", "-A", "OUTPUT", "-p", "udp", "--sport",
            std::to_string(tunnel_port), "-j", "CT", "--notrack"});
  const HostPort tunnel_end(tunnel_port);
  for (const bool guarded : {true, false}) {
    apply("");
    if (!guarded) must_run({"iptables-nft", "-t", "mangle", "-F", "PREROUTING"});
    tunnel_end.speak_to(remote_ip, tunnel_port);
    const auto a = guest('a');
    const std::vector<Packet> sent{udp(uplink_ip, tunnel_port, remote_ip, tunnel_port)};
    Stream stream(*a, from_guest(*a, sent, guest_a));
    stream.run_for(200);
    stream.stop();
    a->settle();
    EXPECT_EQ(tunnel_end.error() == 0, guarded);
  }
}

/// Without `antiSpoofing` a guest may say that it is anybody; the host takes its own address from
/// none.
TEST_F(LedgerErrors, N6_AForgedSourceMakesNoFlowOfOthersItsOwn) {
  for (const char* const name : {"all", "default"}) {
    sysctl(std::string("net/ipv4/conf/") + name + "/rp_filter", "0");
  }
  const HostPort server(host_port);
  for (const std::string& policy : {std::string(closed), std::string(only_icmp), std::string()}) {
    apply((policy.empty() ? "" : policy + ", ") + R"("antiSpoofing": false)");
    ASSERT_TRUE(internet().send(internet().udp(uplink_ip, host_port)));
    const auto a = guest('a');
    internet().settle();
    internet().forget();
    const std::vector<Packet> sent{udp(remote_ip, 40000, uplink_ip, host_port)};
    std::vector<Packet> errors = from_guest(*a, sent, guest_a);
    for (const Packet& error : from_guest(*a, sent, "198.51.100.9"_ip)) errors.push_back(error);
    Stream stream(*a, errors, 1100);
    stream.run_for(200);
    stream.stop();
    EXPECT_GE(stream.per_second(), 1000);
    internet().settle();
    EXPECT_EQ(internet().count(an_error), 0U) << policy;
  }
}

TEST_F(LedgerErrors, N6_AGuestsOwnErrorsArrive) {
  forward_port(guest_a);
  apply(closed);
  const auto a = guest('a');
  ASSERT_TRUE(internet().send(internet().udp(uplink_ip, forwarded_port)));
  ASSERT_TRUE(a->await({.from = remote_ip, .to_port = denied_port})) << "a port forward";
  const Packet arrived = a->received({.from = remote_ip, .to_port = denied_port}).front();
  Stream stream(*a, {from_guest(*a, error_about(arrived, guest_a)),
                     from_guest(*a, error_about(arrived, guest_a, 1280))});
  stream.run_for(100);
  stream.stop();
  internet().settle();
  EXPECT_GT(internet().count({.carries = Carries::icmp, .from = uplink_ip, .to_port = 0}), 0U);
  EXPECT_GT(internet().count({.carries = Carries::icmp, .from = uplink_ip, .to_port = 1280}), 0U);
}

TEST_F(LedgerErrors, N6_GuestsAndTheirPeersLearnThePathMtu) {
  forward_port(guest_a);
  apply(deny_but_one);
  const auto a = guest('a');
  const Like told{.carries = Carries::icmp, .to_port = 1280, .type = icmp_unreachable};
  // Of what a guest sends, by a router outside.
  ASSERT_TRUE(a->send(a->udp(remote_ip, allowed_port)));
  const Like sent{.from = uplink_ip, .to_port = allowed_port};
  ASSERT_TRUE(internet().await(sent));
  ASSERT_TRUE(internet().send(from_outside(internet().received(sent).front(), 1280)));
  EXPECT_TRUE(a->await(told));
  // Of what a guest answers.
  a->forget();
  ASSERT_TRUE(internet().send(internet().udp(uplink_ip, forwarded_port)));
  ASSERT_TRUE(a->await({.from = remote_ip, .to_port = denied_port}));
  Packet answer = a->udp(remote_ip, 40000);
  answer.from_port = denied_port;
  ASSERT_TRUE(a->send(answer));
  const Like answered{.from = uplink_ip, .from_port = forwarded_port};
  ASSERT_TRUE(internet().await(answered));
  ASSERT_TRUE(internet().send(from_outside(internet().received(answered).front(), 1280)));
  EXPECT_TRUE(a->await(told));
  // Of what its peer answers, by a guest that leads on.
  const Like answer_of_peer{.from = remote_ip, .from_port = allowed_port};
  ASSERT_TRUE(a->send(a->udp(remote_ip, allowed_port)));
  ASSERT_TRUE(a->await(answer_of_peer));
  internet().forget();
  const Packet too_large = a->received(answer_of_peer).front();
  ASSERT_TRUE(a->send(from_guest(*a, error_about(too_large, guest_a, 1280))));
  EXPECT_TRUE(internet().await(told)) << "about a flow that the rules let through";
}

TEST_F(LedgerErrors, N6_GuestsWithoutNatLearnThePathMtuOfTheirAnswers) {
  apply(R"("nat": false, "firewall": {"ingress": {"defaultAction": "deny",
      "rules": [{"action": "allow", "protocol": "udp", "ports": 7001}]}})");
  const auto a = guest('a');
  ASSERT_TRUE(internet().send(internet().udp(guest_a, allowed_port)));
  ASSERT_TRUE(a->await({.from = remote_ip, .to_port = allowed_port}));
  Packet answer = a->udp(remote_ip, 40000);
  answer.from_port = allowed_port;
  ASSERT_TRUE(a->send(answer));
  const Like answered{.from = guest_a, .from_port = allowed_port};
  ASSERT_TRUE(internet().await(answered));
  ASSERT_TRUE(internet().send(from_outside(internet().received(answered).front(), 1280)));
  EXPECT_TRUE(a->await({.carries = Carries::icmp, .to_port = 1280, .type = icmp_unreachable}));
}

/// What flowed while it was allowed is no way out: W22 for errors.
TEST_F(LedgerErrors, N6_ErrorsAboutAFlowThatIsDeniedByNowGoNowhere) {
  const auto a_rule = [](const std::string& port) {
    return R"("firewall": {"egress": {"defaultAction": "deny",
        "rules": [{"action": "allow", "protocol": "udp", "ports": )" +
           port + "}]}}";
  };
  apply(a_rule("7001"));
  const auto a = guest('a');
  ASSERT_TRUE(a->send(a->udp(remote_ip, allowed_port)));
  const Like answer{.from = remote_ip, .from_port = allowed_port};
  ASSERT_TRUE(a->await(answer));
  const Packet error = from_guest(*a, error_about(a->received(answer).front(), guest_a));
  ASSERT_TRUE(a->send(error));
  EXPECT_TRUE(internet().await(an_error));
  apply(a_rule("7003"));
  internet().settle();
  internet().forget();
  Stream stream(*a, {error});
  stream.run_for(200);
  stream.stop();
  internet().settle();
  EXPECT_EQ(internet().count(an_error), 0U);
}

/// In the tunnel is an end of the host's too; what comes out of it is the guests' peers.
TEST_F(LedgerErrors, N6_ThroughATunnelToo) {
  const HostPort outer(tunnel_port);
  tunnel();
  apply(std::string(through_tunnel) + ", " + deny_but_one);
  outer.speak_to(remote_ip, tunnel_port);
  const auto a = guest('a');
  const Packet own = a->udp(remote_ip, allowed_port);
  ASSERT_TRUE(a->send(own));
  const Like sent{.from = tunnel_ip, .to_port = allowed_port};
  ASSERT_TRUE(tunnel().await(sent));
  ASSERT_TRUE(tunnel().send(error_about(tunnel().received(sent).front(), "10.99.0.1"_ip, 1200)));
  EXPECT_TRUE(a->await({.carries = Carries::icmp, .to_port = 1200, .type = icmp_unreachable}));
  static_cast<void>(outer.error());
  tunnel().forget();
  internet().forget();
  const std::vector<Packet> of_host{udp(uplink_ip, tunnel_port, remote_ip, tunnel_port),
                                    udp(remote_ip, tunnel_port, uplink_ip, tunnel_port)};
  Stream stream(*a, from_guest(*a, of_host, guest_a));
  stream.run_for(200);
  stream.stop();
  internet().settle();
  EXPECT_EQ(internet().count(an_error) + tunnel().count(an_error), 0U);
  EXPECT_EQ(outer.error(), 0);
}

}  // namespace
}  // namespace plumbline::test
