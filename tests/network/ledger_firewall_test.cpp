// Rows of the ledger on what guests may reach: no order of events lets a denied packet out.

#include <sys/syscall.h>

#include <fstream>

#include "tests/network/ledger.hpp"
#include "tests/support/traced.hpp"

namespace plumbline::test {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

/// As `deny_but_one`, with another rule behind.
constexpr const char* deny_but_one_and_more = R"("firewall": {"egress": {"defaultAction": "deny",
    "rules": [{"action": "allow", "protocol": "udp", "ports": 7001},
              {"action": "allow", "to": "198.51.100.0/24", "protocol": "tcp", "ports": [80, 443]},
              {"action": "deny", "to": "169.254.169.254"}]}})";
constexpr const char* allow_both = R"("firewall": {"egress": {"defaultAction": "deny",
    "rules": [{"action": "allow", "protocol": "udp", "ports": [7001, 7002]}]}})";

TEST_F(Ledger, W7_GuestsWorkBesideAPolicyThatDropsWhatIsForwarded) {
  must_run({"iptables-nft", "-P", "FORWARD", "DROP"});
  for (const char* const members : {"", deny_but_one}) {
    apply(members);
    const auto a = guest('a');
    const Packet packet = a->udp(remote_ip, allowed_port);
    EXPECT_TRUE(a->send(packet));
    EXPECT_TRUE(a->await({.from = remote_ip, .from_port = allowed_port}))
        << "no answer, with " << members;
  }
}

TEST_F(Ledger, W8_GuestsOnOneBridgeMeetWhateverIptablesSeesOfBridges) {
  must_run({"iptables-nft", "-P", "FORWARD", "DROP"});
  for (const char* const seen : {"0", "1"}) {
    if (run({"test", "-e", "/proc/sys/net/bridge"}).status == 0) {
      sysctl("net/bridge/bridge-nf-call-iptables", seen);
    }
    for (const char* const members : {"", deny_but_one}) {
      apply(members);
      const auto a = guest('a');
      const auto b = guest('b');
      a->learn_gateway(guest_identity('b').ip);  // on the same wire
      EXPECT_EQ(a->pings(guest_identity('b').ip), 3) << seen << members;
    }
  }
}

TEST_F(Ledger, W10_ARerunNeverOpensTheFirewall) {
  apply(deny_but_one);
  attach();
  for (int i = 0; i < 100; ++i) {
    if (i % 25 == 24) restart();
    const spec::Desired wanted =
        site().desired(network_spec(i % 2 == 0 ? deny_but_one_and_more : deny_but_one));
    ASSERT_EQ(site().carry_out(site().prepare(wanted)).result, engine::Result::applied) << i;
  }
  expect_only_allowed(*attack);
}

TEST_F(Ledger, W11_TheFirstSetUpForwardsNothingBeforeTheGuardsAreIn) {
  for (const char* const forwarding : {"0", "1"}) {
    sysctl("net/ipv4/ip_forward", forwarding);
    apply_under_fire(site().prepare(network_spec(deny_but_one)));
    ASSERT_TRUE(attack);
    attack->run_for(100);
    site().options.allow_empty = true;
    apply_under_fire(site().prepare(R"({"version": 1})"));
    expect_only_allowed(*attack);
    EXPECT_EQ(sysctl("net/ipv4/ip_forward"), forwarding);
    detach();
    internet().forget();
  }
}

TEST_F(Ledger, W12_KilledAfterAnyChangeItLeavesNothingOpenAndConverges) {
  // The first run is killed when it has made one change, the next, which goes on from there, when
  // it has made two, and so on until one has nothing more to do.
  const auto killed_again_and_again = [this](const std::string& spec) {
    for (std::size_t most = 1; most < 100; ++most) {
      SteppingHost host(site().host(), [most](std::size_t change) {
        if (change == most) throw Killed();
      });
      const engine::Prepared prepared = site().prepare(spec);
      if (prepared.plan.steps.empty()) return most;
      try {
        static_cast<void>(site().carry_out(prepared, &host));
      } catch (const Killed&) {
      }
      fire();
      restart();
      site().options.allow_empty = true;
    }
    ADD_FAILURE() << "does not converge\n" << shown(site().prepare(spec));
    return std::size_t{0};
  };
  sysctl("net/ipv4/ip_forward", "1");
  EXPECT_GT(killed_again_and_again(network_spec(deny_but_one)), 3U);
  ASSERT_TRUE(attack);
  attack->run_for(100);
  EXPECT_GT(killed_again_and_again(R"({"version": 1})"), 3U);
  expect_only_allowed(*attack);
}

TEST_F(Ledger, W12_TheProgramKilledAtAnyMessageLeavesNothingOpenAndConverges) {
  const std::string file = ::testing::TempDir() + "plumbline-w12-" + std::to_string(getpid());
  std::ofstream(file + ".json") << network_spec(deny_but_one);
  std::ofstream(file + "-none.json") << R"({"version": 1})";
  const std::vector<std::string> make{PLUMBLINE_BINARY, "apply", "--yes", file + ".json"};
  const std::vector<std::string> remove{PLUMBLINE_BINARY, "destroy", "--yes"};
  adopt_orphans();
  const Call message{false, SYS_sendmsg};
  for (int count = 12; count < 72; count += 12) {
    const Traced traced = run_until(make, Moment{message, count});
    ASSERT_EQ(traced.why_not, "");
    fire();
    must_run(make);
    fire();
    ASSERT_TRUE(attack);
    attack->run_for(100);
    expect_only_allowed(*attack);
    detach();
    static_cast<void>(run_until(remove, Moment{message, count}));
    must_run(remove);
    if (!traced.killed) break;
  }
}

TEST_F(Ledger, W20_TheRulesAreFirstAndComeBackWhenMovedOrFlushed) {
  must_run({"iptables-nft", "-A", "FORWARD", "-j", "ACCEPT"});
  apply(deny_but_one);
  attach();
  attack->run_for(200);
  expect_only_allowed(*attack);
  const std::vector<std::string> rules = rules_in("FORWARD");
  ASSERT_FALSE(rules.empty());
  EXPECT_EQ(rules.back(), "-j ACCEPT");
  for (const std::vector<std::string>& drift :
       {std::vector<std::string>{"-I", "FORWARD", "-j", "ACCEPT"},
        {"-D", "FORWARD", "1"},
        {"-F", "FORWARD"}}) {
    std::vector<std::string> words{"iptables-nft"};
    words.insert(words.end(), drift.begin(), drift.end());
    must_run(words);
    EXPECT_NE(rules_in("FORWARD"), rules);
    apply(deny_but_one);
    std::vector<std::string> now = rules_in("FORWARD");
    std::erase(now, "-j ACCEPT");
    EXPECT_EQ(now, std::vector(rules.begin(), rules.end() - 1)) << drift.front();
    EXPECT_NE(rules_in("FORWARD").front(), "-j ACCEPT");
  }
}

TEST_F(Ledger, W21_TheLastWordMayBeLeftToTheRulesBehind) {
  const auto members = [](const std::string& target) {
    return R"("firewall": {"egress": {"defaultAction": "allow", "allowTarget": ")" + target +
           R"(", "rules": [{"action": "allow", "protocol": "udp", "ports": 7001}]}})";
  };
  must_run({"iptables-nft", "-A", "FORWARD", "-p", "udp", "--dport", "7001", "-j", "DROP"});
  apply(members("RETURN"));
  attach();
  attack->run_for(200);
  EXPECT_TRUE(internet().await({.to_port = denied_port})) << "no rule has anything against it";
  EXPECT_EQ(internet().count({.to_port = allowed_port}), 0U) << "the administrator's rule counts";
  apply(members("ACCEPT"));
  attack->run_for(200);
  EXPECT_TRUE(internet().await({.to_port = allowed_port}));
}

TEST_F(Ledger, W22_ATightenedRuleEndsRunningFlows) {
  apply(allow_both);
  attach();
  ASSERT_TRUE(attacker->await({.from = remote_ip, .from_port = denied_port}, 50)) << "established";
  apply(deny_but_one);
  internet().settle({.to_port = denied_port});
  internet().forget();
  attack->run_for(500);
  expect_only_allowed(*attack);
}

}  // namespace
}  // namespace plumbline::test
