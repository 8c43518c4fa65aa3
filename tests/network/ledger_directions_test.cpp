// Rows of the ledger on what comes to guests and what guests may send to the host: who speaks first
// opens nothing for the other way.

#include "plumbline/spec/load.hpp"
#include "tests/network/ledger.hpp"
#include "tests/support/host_port.hpp"
#include "tests/support/memory_files.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const IpAddress guest_a = guest_identity('a').ip;
/// Of the flow whose two ends both begin.
constexpr std::uint16_t guests_port = 40000;

class LedgerDirections : public Ledger {
 protected:
  /// From the remote's `denied_port` to the guest's own port: what looks like an answer.
  Packet unasked_answer() {
    Packet packet = internet().udp(guest_a, guests_port);
    packet.from_port = denied_port;
    return packet;
  }
  /// New connections from outside to both ports of the guest, then how many of them it got.
  std::pair<std::uint64_t, std::uint64_t> let_in(Station& a) {
    a.forget();
    Stream stream(internet(),
                  {internet().udp(guest_a, allowed_port), internet().udp(guest_a, denied_port)});
    stream.run_for(200);
    stream.stop();
    EXPECT_GE(stream.per_second(), 1000);
    a.settle();
    return {a.count({.from = remote_ip, .to_port = allowed_port}),
            a.count({.from = remote_ip, .to_port = denied_port})};
  }
};

TEST_F(LedgerDirections, W18_ThePolicyForTheHostCoversEveryAddressOfIt) {
  local();
  const HostPort allowed(allowed_port);
  const HostPort denied(denied_port);
  for (const bool guarded : {false, true}) {
    apply(guarded ? R"("firewall": {"host": {"defaultAction": "deny",
        "rules": [{"action": "allow", "protocol": "udp", "ports": 7001}]}})"
                  : "");
    const auto a = guest('a');
    for (const IpAddress& address : {gateway_ip, uplink_ip, local_ip}) {
      Stream stream(*a, {a->udp(address, allowed_port), a->udp(address, denied_port)});
      stream.run_for(200);
      stream.stop();
      a->settle();
      EXPECT_GT(allowed.arrived(), 0) << format(address);
      EXPECT_EQ(denied.arrived() == 0, guarded) << format(address);
    }
    EXPECT_EQ(host_pings(guest_a), 3) << "answers to the host pass";
  }
}

TEST_F(LedgerDirections, W18_AnOpenHostBehindADeniedEgressIsWarnedOf) {
  const auto warnings = [](const std::string& members) {
    testing::MemoryFiles files({{"a.json", network_spec(members)}});
    Diagnostics diagnostics;
    static_cast<void>(spec::load({"a.json"}, files, diagnostics));
    std::string all;
    for (const Diagnostic& warning : diagnostics.warnings) all += warning.message + "\n";
    return all;
  };
  EXPECT_THAT(warnings(deny_but_one), HasSubstr("host"));
  EXPECT_THAT(warnings(R"("firewall": {"egress": {"defaultAction": "deny"},
                                       "host": {"defaultAction": "deny"}})"),
              Not(HasSubstr("host")));
}

TEST_F(LedgerDirections, W19_NothingComesInUnaskedOnceEgressIsFiltered) {
  apply("");
  {
    const auto a = guest('a');
    EXPECT_GT(let_in(*a).second, 0U) << "without any firewall everything does";
  }
  apply(deny_but_one);
  {
    const auto a = guest('a');
    EXPECT_EQ(let_in(*a), std::pair(std::uint64_t{0}, std::uint64_t{0}));
    EXPECT_EQ(host_pings(guest_a), 3) << "the host is not outside";
    EXPECT_TRUE(a->send(a->udp(remote_ip, allowed_port)));
    EXPECT_TRUE(a->await({.from = remote_ip, .from_port = allowed_port})) << "asked for";
  }
  apply(R"("firewall": {"ingress": {"defaultAction": "deny",
      "rules": [{"action": "allow", "from": "203.0.113.0/24", "protocol": "udp", "ports": 7001}]}})");
  const auto a = guest('a');
  const auto [allowed, denied] = let_in(*a);
  EXPECT_GT(allowed, 0U);
  EXPECT_EQ(denied, 0U);
}

TEST_F(LedgerDirections, W19_APortForwardPasses) {
  apply(deny_but_one);
  must_run({"iptables-nft", "-t", "nat", "-A", "PREROUTING", "-d", format(uplink_ip), "-p", "udp",
            "--dport", "9000", "-j", "DNAT", "--to-destination", format(guest_a) + ":7002"});
  const auto a = guest('a');
  EXPECT_TRUE(internet().send(internet().udp(uplink_ip, 9000)));
  EXPECT_TRUE(a->await({.from = remote_ip, .to_port = denied_port}));
}

TEST_F(LedgerDirections, N1_ARemoteThatSpeaksFirstOpensNothing) {
  const std::string members = R"("nat": false, )" + std::string(deny_but_one);
  sysctl("net/ipv4/ip_forward", "1");
  // Before there is a network its packets are forwarded back to where they came from.
  Stream remote(internet(), {unasked_answer()});
  remote.run_for(100);
  apply_under_fire(site().prepare(network_spec(members)));
  ASSERT_TRUE(attack);
  for (int i = 0; i < 10; ++i) {
    apply(i % 2 == 0 ? members + R"(, "ipv6": "ignore")" : members);
    static_cast<void>(run({"conntrack", "-F"}));  // where there is such a program
  }
  attack->run_for(300);
  attack->stop();
  remote.stop();
  EXPECT_GE(attack->per_second(), 1000);
  EXPECT_GE(remote.per_second(), 1000);
  internet().settle();
  EXPECT_GT(internet().count({.from = guest_a, .to_port = allowed_port}), 0U);
  EXPECT_EQ(internet().count({.to_port = denied_port}), 0U);
}

TEST_F(LedgerDirections, N3_OneNetworksWayBackDoesNotOpenAnother) {
  const IpAddress other_guest = guest_identity('c', 31).ip;
  const auto spec = [](const std::string& of_first, const std::string& of_second) {
    return spec_of_networks({network_entry(of_first), network_entry(of_second, 31, "c")});
  };
  const std::string deny = R"("firewall": {"egress": {"defaultAction": "deny",
      "rules": [{"action": "allow", "to": "203.0.113.0/24", "protocol": "udp", "ports": 7001}]})";
  for (const bool is_open : {true, false}) {
    // Whether the first lets anything of the second in.
    const std::string ingress = is_open ? R"(, "ingress": {"defaultAction": "allow"}})" : "}";
    // Without NAT, under which the second would be the host.
    site().apply(spec(deny + ingress, R"("nat": false)"));
    const auto a = guest('a');
    const auto c = guest('c', 31);
    // Both ends of one flow speak.
    Packet from_c = c->udp(guest_a, guests_port);
    from_c.from_port = denied_port;
    const Packet from_a = a->udp(other_guest, denied_port);
    Stream first(*a, {from_a, a->udp(remote_ip, allowed_port)});
    first.run_for(200);
    EXPECT_EQ(c->count({.from = guest_a}), 0U) << "denied, and nobody has asked";
    Stream second(*c, {from_c});
    second.run_for(200);
    first.stop();
    second.stop();
    EXPECT_GE(first.per_second(), 1000);
    a->settle();
    c->settle();
    EXPECT_EQ(a->count({.from = other_guest}) > 0, is_open);
    EXPECT_EQ(c->count({.from = guest_a}) > 0, is_open) << "answers, and only those";
    EXPECT_TRUE(internet().await({.from = uplink_ip, .to_port = allowed_port}));
  }
}

}  // namespace
}  // namespace plumbline::test
