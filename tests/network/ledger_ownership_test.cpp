// Rows of the ledger on whose things are whose: ours are found again, others' are never touched,
// and two of us do not work at once.

#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "plumbline/engine/ledger_file.hpp"
#include "plumbline/engine/lock.hpp"
#include "plumbline/spec/assignments.hpp"
#include "tests/network/ledger.hpp"
#include "tests/support/dump.hpp"
#include "tests/support/failing_host.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* nothing = "No changes. The host matches the spec.\n";

std::string chain_of_network() {
  return spec::chain_name(IfName::parse("br0").value(), Prefix::parse("10.30.0.0/24").value());
}

class LedgerOwnership : public Ledger {
 protected:
  void TearDown() override {
    if (!home_.empty()) std::filesystem::remove_all(home_);
    Ledger::TearDown();
  }
  /// A spec file for the program.
  std::string file(const std::string& name, const std::string& text) {
    home_ = ::testing::TempDir() + "plumbline-ownership-" + std::to_string(getpid());
    std::filesystem::create_directories(home_);
    std::ofstream(home_ / name) << text;
    return home_ / name;
  }
  void expect_conflict(const std::string& what) {
    const std::string before = dump_namespace();
    EXPECT_THAT([this] { refusal_of(network_spec(deny_but_one)); },
                ::testing::ThrowsMessage<std::runtime_error>(
                    ::testing::AllOf(HasSubstr("FOREIGN_CONFLICT"), HasSubstr(what))));
    const engine::Prepared prepared = site().prepare(network_spec(deny_but_one));
    EXPECT_EQ(site().carry_out(prepared).result, engine::Result::refused);
    EXPECT_EQ(difference(before, dump_namespace()), "");
  }

 private:
  std::filesystem::path home_;
};

TEST_F(LedgerOwnership, W28_ARestartTakesItsTapsUpAgain) {
  apply(deny_but_one);
  restart();
  EXPECT_EQ(shown(site().prepare(network_spec(deny_but_one))), nothing);
  const auto a = guest('a');
  EXPECT_EQ(shown(site().prepare(network_spec(deny_but_one))), nothing) << "while they are used";
}

TEST_F(LedgerOwnership, W29_OurRulesOfAnEarlierRunGoWhenTheyShall) {
  must_run({"iptables-nft", "-A", "FORWARD", "-s", "192.0.2.1", "-j", "DROP"});
  must_run({"iptables-nft", "-t", "nat", "-A", "POSTROUTING", "-s", "172.17.0.0/16", "-j",
            "MASQUERADE"});
  const std::string before = dump_namespace({"net.ipv4.ip_forward"});
  tunnel();
  const std::string with_tunnel = dump_namespace({"net.ipv4.ip_forward"});
  for (const std::string& members :
       {std::string(deny_but_one), std::string(through_tunnel),
        std::string(through_tunnel) + ", " + deny_but_one + R"(, "isolation": true)",
        std::string(R"("antiSpoofing": false, "ipv6": "ignore", "nat": false)")}) {
    apply(members);
    restart();
  }
  remove_all();
  EXPECT_EQ(difference(with_tunnel, dump_namespace({"net.ipv4.ip_forward"})), "");
  remove_tunnel();
  EXPECT_EQ(difference(before, dump_namespace({"net.ipv4.ip_forward"})), "");
}

TEST_F(LedgerOwnership, W30_WhatIsNoLongerInTheSpecGoesWithTheNextPass) {
  apply(deny_but_one);
  restart();
  apply("");
  EXPECT_THAT(must_run({"iptables-nft-save"}), Not(HasSubstr("7001")));
  attach();
  EXPECT_TRUE(internet().await({.from = uplink_ip, .to_port = denied_port}));
}

TEST_F(LedgerOwnership, W33_RemovalLeavesBridgesOfOthersAlone) {
  ip("link add theirs type bridge");
  must_run({"ip", "tuntap", "add", "theirtap", "mode", "tap"});
  ip("link set theirtap master theirs up");
  ip("address add 10.60.0.1/24 dev theirs");
  ip("link set theirs up");
  const std::string before = dump_namespace({"net.ipv4.ip_forward"});
  apply(deny_but_one);
  remove_all();
  EXPECT_EQ(difference(before, dump_namespace({"net.ipv4.ip_forward"})), "");
}

TEST_F(LedgerOwnership, W33_ABridgeOfAnotherOfThatNameIsAConflict) {
  ip("link add br0 type bridge");
  expect_conflict("adopt");
}

TEST_F(LedgerOwnership, W34_TheUplinkIsNeverTakenForOurs) {
  const auto spec = [](const std::string& bridge) {
    return spec_of_networks({"\"" + bridge + R"(": {"subnet": "10.30.0.0/24"})"});
  };
  const std::string before = dump_namespace();
  EXPECT_THAT([&] { refusal_of(spec("up0")); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("up0")));
  ip("link set up0 down");
  ip("link add uplink type bridge");
  ip("link set up0 master uplink up");
  ip("address del 192.0.2.10/24 dev up0");
  ip("address add 192.0.2.10/24 dev uplink");
  ip("link set uplink up");
  ip("route add default via 192.0.2.1 dev uplink");
  const std::string bridged = dump_namespace({"net.ipv4.ip_forward"});
  EXPECT_THAT([&] { refusal_of(spec("uplink")); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("uplink")));
  apply("");
  attach();
  EXPECT_TRUE(internet().await({.from = uplink_ip, .to = remote_ip}))
      << "a bridge may be the uplink";
  detach();
  remove_all();
  EXPECT_EQ(difference(bridged, dump_namespace({"net.ipv4.ip_forward"})), "");
}

TEST_F(LedgerOwnership, W35_TheSecondSaysWhoIsAtWork) {
  const std::string spec = file("spec.json", network_spec(deny_but_one));
  int holder = 0;
  const auto lock = engine::Lock::take(engine::state_directory(), holder);
  ASSERT_TRUE(lock);
  const std::string before = dump_namespace();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{PLUMBLINE_BINARY, "apply", "--yes", spec},
        {PLUMBLINE_BINARY, "destroy", "--yes"}}) {
    const CommandResult second = run(words);
    EXPECT_EQ(second.status, 4) << second.output;
    EXPECT_THAT(second.output, HasSubstr("LOCKED"));
    EXPECT_THAT(second.output, HasSubstr(std::to_string(getpid())));
  }
  EXPECT_EQ(difference(before, dump_namespace()), "");
}

TEST_F(LedgerOwnership, W36_AChainOfAnotherIsNotFlushed) {
  must_run({"iptables-nft", "-N", chain_of_network()});
  must_run({"iptables-nft", "-A", chain_of_network(), "-s", "192.0.2.1", "-j", "DROP"});
  expect_conflict(chain_of_network());
}

TEST_F(LedgerOwnership, W38_ARemovalThatFailsSaysSo) {
  apply(deny_but_one);
  site().options.allow_empty = true;
  const engine::Prepared prepared = site().prepare(R"({"version": 1})");
  const std::string before = dump_namespace();
  for (const std::size_t at : {std::size_t{0}, std::size_t{2}, std::size_t{4}}) {
    FailingHost failing(site().host(), at, EIO);
    const engine::Outcome outcome = site().carry_out(site().prepare(R"({"version": 1})"), &failing);
    EXPECT_EQ(outcome.result, engine::Result::rolled_back) << at;
    EXPECT_TRUE(outcome.report.failed);
    bool said = false;
    for (const engine::StepReport& step : outcome.report.steps) {
      said = said || (step.result == engine::StepResult::failed && step.error == EIO);
    }
    EXPECT_TRUE(said) << at;
    EXPECT_EQ(difference(before, dump_namespace()), "") << at;
  }
}

/// Starts them all at once; their exit statuses.
std::vector<int> at_once(const std::vector<std::vector<std::string>>& commands) {
  std::vector<CommandResult> results(commands.size());
  const io::NetworkNamespace here = io::NetworkNamespace::current();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    threads.emplace_back([&, i] { here.run([&] { results[i] = run(commands[i]); }); });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<int> statuses;
  for (const CommandResult& result : results) {
    statuses.push_back(result.status);
    if (result.status == 4) {
      EXPECT_THAT(result.output, HasSubstr("LOCKED"));
    }
  }
  return statuses;
}

TEST_F(LedgerOwnership, W51_AppliesAtOnceAreOneAfterTheOther) {
  const std::string spec = file("spec.json", network_spec(deny_but_one));
  const std::vector<std::string> apply{PLUMBLINE_BINARY, "apply", "--yes", spec};
  const std::vector<int> statuses = at_once({apply, apply, apply, apply});
  EXPECT_THAT(statuses, ::testing::Each(::testing::AnyOf(0, 4)));
  EXPECT_THAT(statuses, ::testing::Contains(0));
  EXPECT_EQ(run({PLUMBLINE_BINARY, "plan", "--detailed-exitcode", spec}).status, 0);
}

TEST_F(LedgerOwnership, W52_AnApplyAndARemovalAtOnceAreOneAfterTheOther) {
  const std::string spec = file("spec.json", network_spec(deny_but_one));
  const std::vector<std::string> apply{PLUMBLINE_BINARY, "apply", "--yes", spec};
  const std::vector<std::string> destroy{PLUMBLINE_BINARY, "destroy", "--yes"};
  const std::string before = dump_namespace();
  must_run(apply);
  const std::vector<int> statuses = at_once({destroy, apply, destroy, apply});
  EXPECT_THAT(statuses, ::testing::Each(::testing::AnyOf(0, 4)));
  EXPECT_THAT(statuses, ::testing::Contains(0));
  must_run(apply);
  EXPECT_EQ(run({PLUMBLINE_BINARY, "plan", "--detailed-exitcode", spec}).status, 0);
  must_run(destroy);
  EXPECT_EQ(difference(before, dump_namespace()), "");
}

}  // namespace
}  // namespace plumbline::test
