// Rows of the ledger on addresses, NAT and the ways out of the host.

#include <cerrno>

#include "plumbline/firewall/bytes/conntrack.hpp"
#include "tests/network/ledger.hpp"
#include "tests/support/dump.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const IpAddress second_ip = "198.51.100.10"_ip;

class LedgerRouting : public Ledger {
 protected:
  void SetUp() override {
    Ledger::SetUp();
    if (!IsSkipped()) second_.emplace("up1", "198.51.100.10/24", remote_ip);
  }

  /// What is behind `up1`.
  Station& second() { return second_->station(); }

  /// Everything there came from the address that the host has there; but for what the host itself
  /// says to an answer that was under way while the kernel forgot whose it was: nobody is there.
  void expect_only_from(Station& station, const IpAddress& address) {
    EXPECT_GT(station.count({.from = address, .to = remote_ip}), 0U);
    for (const Packet& packet : station.received({.to = remote_ip})) {
      const bool is_of_the_host = (packet.from == uplink_ip || packet.from == second_ip) &&
                                  packet.carries == Carries::icmp &&
                                  packet.type == icmp_unreachable;
      if (is_of_the_host) continue;
      EXPECT_EQ(format(packet.from), format(address)) << format(packet);
    }
  }

 private:
  std::optional<Wire> second_;
};

TEST_F(LedgerRouting, W31_NatFollowsTheDefaultRoute) {
  apply("");
  attach();
  ASSERT_TRUE(attacker->await({.from = remote_ip, .from_port = allowed_port}, 50));
  ip("route replace default via 198.51.100.1 dev up1");
  EXPECT_TRUE(second().await({.to = remote_ip}, 50)) << "the running flow has moved";
  apply("");
  attack->run_for(300);
  attack->stop();
  EXPECT_GE(attack->per_second(), 1000);
  second().settle();
  expect_only_from(internet(), uplink_ip);
  expect_only_from(second(), second_ip);
  EXPECT_THAT(must_run({"iptables-nft-save"}), Not(HasSubstr("up0"))) << "nothing is left of it";
}

TEST_F(LedgerRouting, W32_AChangedSubnetChangesTheAddressNewBeforeOld) {
  const auto spec = [](const std::string& subnet) {
    return R"({"version": 1, "networks": {"br0": {"subnet": ")" + subnet +
           R"(", "vms": {"a": {}}}}})";
  };
  site().apply(spec("10.30.0.0/24"));
  EXPECT_THAT(ip("address show dev br0"), HasSubstr("10.30.0.1/24"));
  const engine::Prepared change = site().apply(spec("10.31.0.0/24"));
  EXPECT_THAT(ip("address show dev br0"), HasSubstr("10.31.0.1/24"));
  EXPECT_THAT(ip("address show dev br0"), Not(HasSubstr("10.30.0.1")));
  const std::string text = shown(change);
  const auto fresh = text.find("+ address br0 10.31.0.1/24");
  const auto old = text.find("- address br0 10.30.0.1/24");
  ASSERT_NE(fresh, std::string::npos) << text;
  ASSERT_NE(old, std::string::npos) << text;
  EXPECT_LT(fresh, old);
}

TEST_F(LedgerRouting, W37_ForwardingIsPutBack) {
  for (const char* const before : {"0", "1"}) {
    sysctl("net/ipv4/ip_forward", before);
    apply("");
    attach();
    attack->run_for(50);
    EXPECT_TRUE(internet().await({.from = uplink_ip, .to = remote_ip})) << "it forwards";
    detach();
    remove_all();
    EXPECT_EQ(sysctl("net/ipv4/ip_forward"), before);
    internet().forget();
  }
}

TEST_F(LedgerRouting, W42_TheBridgesMacStaysWhateverJoins) {
  apply("");
  const std::string mac = format(bridge_mac_of());
  EXPECT_THAT(ip("link show br0"), HasSubstr(mac));
  must_run({"ip", "tuntap", "add", "low", "mode", "tap"});
  ip("link set low address 00:00:00:00:00:01 master br0 up");
  EXPECT_THAT(ip("link show br0"), HasSubstr(mac));
  ip("link del tapa");
  ip("link del tapb");
  EXPECT_THAT(ip("link show br0"), HasSubstr(mac));
}

TEST_F(LedgerRouting, W50_EveryDefaultRouteHasNat) {
  ip("route add default via 198.51.100.1 dev up1 metric 200");
  apply("");
  attach();
  ASSERT_TRUE(attacker->await({.from = remote_ip, .from_port = allowed_port}, 50));
  EXPECT_EQ(second().count({.to = remote_ip}), 0U);
  ip("route del default dev up0");
  EXPECT_TRUE(second().await({.to = remote_ip}, 50)) << "the running flow has moved";
  attack->run_for(200);
  attack->stop();
  EXPECT_GE(attack->per_second(), 1000);
  second().settle();
  expect_only_from(internet(), uplink_ip);
  expect_only_from(second(), second_ip);
}

TEST_F(LedgerRouting, N5_FlowsThatRunAreNatedFromTheMomentThereIsNat) {
  apply(R"("nat": false)");
  attach();
  ASSERT_TRUE(internet().await({.from = guest_identity('a').ip, .to = remote_ip}, 50))
      << "in clear, as the spec says";
  apply("");
  internet().settle({.from = guest_identity('a').ip});
  internet().forget();
  attack->run_for(500);
  attack->stop();
  EXPECT_GE(attack->per_second(), 1000);
  internet().settle();
  expect_only_from(internet(), uplink_ip);
}

/// Does not tell of flows.
class SilentOnFlows final : public io::Host {
 public:
  explicit SilentOnFlows(io::Host& host) : host_(&host) {}

  std::vector<wire::Reply> exchange(std::span<const wire::Request> requests) override {
    for (const wire::Request& request : requests) {
      const auto* query = std::get_if<wire::NetfilterQuery>(&request);
      if (query == nullptr || query->message != firewall::flow_dump()) continue;
      ++asked_;
      return {{EIO, "made to fail by the test", {}, {}}};
    }
    return host_->exchange(requests);
  }
  [[nodiscard]] int asked() const { return asked_; }

 private:
  io::Host* host_;
  int asked_ = 0;
};

TEST_F(LedgerRouting, N5_FlowsThatCouldNotBeEndedAreEndedByTheNextPass) {
  apply(R"("nat": false)");
  attach();
  ASSERT_TRUE(internet().await({.from = guest_identity('a').ip, .to = remote_ip}, 50));
  SilentOnFlows silent(site().host());
  const engine::Outcome outcome = site().carry_out(site().prepare(network_spec("")), &silent);
  EXPECT_EQ(outcome.result, engine::Result::applied);
  EXPECT_EQ(silent.asked(), 1);
  ASSERT_EQ(outcome.warnings.size(), 1U);
  internet().forget();
  ASSERT_TRUE(internet().await({.from = guest_identity('a').ip, .to = remote_ip}, 50));
  restart();
  apply("");
  internet().settle({.from = guest_identity('a').ip});
  internet().forget();
  attack->run_for(300);
  attack->stop();
  internet().settle();
  expect_only_from(internet(), uplink_ip);
}

TEST_F(LedgerRouting, N5_FlowsThatRunAreNatedWhenRoutesMove) {
  apply("");
  attach();
  ASSERT_TRUE(attacker->await({.from = remote_ip, .from_port = allowed_port}, 50));
  for (int i = 0; i < 10; ++i) {
    ip(i % 2 == 0 ? "route add 203.0.113.0/24 via 198.51.100.1 dev up1"
                  : "route del 203.0.113.0/24 via 198.51.100.1 dev up1");
    attack->run_for(60);
  }
  attack->stop();
  EXPECT_GE(attack->per_second(), 1000);
  internet().settle();
  second().settle();
  expect_only_from(internet(), uplink_ip);
  expect_only_from(second(), second_ip);
}

}  // namespace
}  // namespace plumbline::test
