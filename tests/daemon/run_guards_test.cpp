// Guards in a fight: order may be given up, presence never.

#include "tests/daemon/running.hpp"

namespace plumbline::daemon {
namespace {

const std::string guarded = R"(
  "links": { "br0": { "kind": "bridge" },
             "tap7": { "kind": "tap", "master": "br0", "port": { "isolated": true } } },
  "iptables": { "filter": { "chains": { "APP": { "rules": ["-j DROP"] } },
                            "shared": { "FORWARD": { "policy": "DROP", "insert": ["-i br0 -j APP"] } } },
                "mangle": { "shared": { "FORWARD": { "insert": ["-i br0 -m mark --mark 7 -j DROP"] } } } },
  "ebtables": { "nat": { "chains": { "VM7": { "rules": ["-s ! 52:54:00:00:00:07 -j DROP"] } },
                         "shared": { "PREROUTING": { "insert": ["-i tap7 -j VM7"] } } } })";

/// What a rival does, at once, as the guard may be back before a second command; and how the guard
/// is seen.
struct Blow {
  std::string name;
  std::string key;
  std::string rival;
  std::string guard;
};

void PrintTo(const Blow& blow, std::ostream* out) { *out << blow.name; }

const std::vector<Blow> blows{
    {"AFlush", "shared inet filter FORWARD", "iptables-nft -F FORWARD",
     "iptables-nft -S FORWARD | grep -q -- '-j APP'"},
    {"ARule", "shared inet mangle FORWARD", "iptables-nft -t mangle -D FORWARD 1",
     "iptables-nft -t mangle -S FORWARD | grep -q -- '-j DROP'"},
    {"AChain", "chain inet filter APP",
     "printf '*filter\\n-F FORWARD\\n-F APP\\n-X APP\\nCOMMIT\\n' | iptables-nft-restore -n",
     "iptables-nft -S APP | grep -q -- '-j DROP'"},
    {"ARuleOfOurChain", "chain inet filter APP", "iptables-nft -D APP -j DROP",
     "iptables-nft -S APP | grep -q -- '-j DROP'"},
    {"ARuleBeforeOurs", "chain inet filter APP", "iptables-nft -I APP -j ACCEPT",
     "! iptables-nft -S APP | grep -q -- ACCEPT"},
    {"APolicy", "shared inet filter FORWARD", "iptables-nft -P FORWARD ACCEPT",
     "iptables-nft -S FORWARD | grep -q -- '-P FORWARD DROP'"},
    {"ATable", "shared inet filter FORWARD", "nft delete table ip filter",
     "iptables-nft -S FORWARD | grep -q -- '-j APP'"},
    {"ABridgeTable", "shared bridge nat PREROUTING", "nft delete table bridge nat",
     "ebtables-nft -t nat -L PREROUTING | grep -q VM7"},
    {"AnEbtablesFlush", "shared bridge nat PREROUTING", "ebtables-nft -t nat -F PREROUTING",
     "ebtables-nft -t nat -L PREROUTING | grep -q VM7"},
    {"ATapsBridge", "link tap7", "ip link set tap7 nomaster",
     "ip link show tap7 | grep -q 'master br0'"},
    {"ATapThatIsDown", "link tap7", "ip link set tap7 down", "ip link show tap7 | grep -q ',UP'"},
};

class RunGuards : public RunTest, public testing::WithParamInterface<Blow> {
 protected:
  static bool shell(const std::string& command) {
    return test::run({"sh", "-c", command}).status == 0;
  }
};

INSTANTIATE_TEST_SUITE_P(AgainAndAgain, RunGuards, testing::ValuesIn(blows),
                         [](const auto& blow) { return blow.param.name; });

/// Twice as many as make a fight of it.
TEST_P(RunGuards, AGuardIsPutBackHoweverOftenItIsTakenAway) {
  if (!shell("iptables-nft -S && ebtables-nft -t nat -L && nft --version")) {
    GTEST_SKIP() << "iptables-nft does not work";
  }
  write(file(), spec(guarded));
  start_and_converge("1s", {}, {"--iptables", "nft"});
  ASSERT_TRUE(shell(GetParam().guard));
  for (int i = 1; i <= 10; ++i) {
    ASSERT_TRUE(shell(GetParam().rival));
    ASSERT_TRUE(soon(
        "blow " + std::to_string(i), [] { return shell(GetParam().guard); },
        2 * promptly + milliseconds(1000)));
  }
  EXPECT_EQ(times_logged(GetParam().key + " had to be repaired again and again"), 1);
}

TEST_F(RunTest, RulesOfOthersOnTopAreLeftThereInTheEndAndAFlushAfterThemIsRepaired) {
  if (test::run({"iptables-nft", "-S"}).status != 0) GTEST_SKIP() << "iptables-nft does not work";
  write(file(), spec(R"("iptables": { "filter": { "shared": {
      "FORWARD": { "insert": ["-i br0 -j DROP"] } } } })"));
  start_and_converge("1h", {}, {"--iptables", "nft"});
  const auto rules = [] { return test::run({"iptables-nft", "-S", "FORWARD"}).output; };
  const auto is_first = [&] { return rules().find("DROP") < rules().find("-s 10.66"); };
  for (int i = 1; i <= 5; ++i) {
    test::must_run(
        {"iptables-nft", "-I", "FORWARD", "-s", "10.66.0." + std::to_string(i), "-j", "ACCEPT"});
    ASSERT_TRUE(soon("first again", is_first));
  }
  ASSERT_TRUE(soon("the name", [&] { return logged("shared inet filter FORWARD had to be"); }));
  test::must_run({"iptables-nft", "-I", "FORWARD", "-s", "10.66.0.9", "-j", "ACCEPT"});
  ASSERT_TRUE(soon("the truce", [&] { return logged("left as somebody else made it for now"); }));
  EXPECT_FALSE(is_first());
  test::must_run({"iptables-nft", "-F", "FORWARD"});
  EXPECT_TRUE(soon("the guard", [&] { return rules().find("-i br0") != std::string::npos; }));
}

TEST_F(RunTest, WhileASpecFailsGuardsAreStillPutBackAtOnce) {
  if (test::run({"iptables-nft", "-S"}).status != 0) GTEST_SKIP() << "iptables-nft does not work";
  const std::string guard = R"("iptables": { "filter": { "shared": {
      "FORWARD": { "insert": ["-i br0 -j DROP"] } } } })";
  write(file(), spec(guard));
  start_and_converge("1h", {}, {"--iptables", "nft"});
  write(file(), spec(guard + R"(, "sysctls": { "net.ipv4.ip_default_ttl": 300 })"));
  // Long enough for the next try to be far away.
  ASSERT_TRUE(soon(
      "failures", [&] { return times_logged("debug pass (") >= 5; }, patiently));
  for (int i = 1; i <= 3; ++i) {
    test::must_run({"iptables-nft", "-F", "FORWARD"});
    const auto is_back = [] {
      const std::string rules = test::run({"iptables-nft", "-S", "FORWARD"}).output;
      return rules.find("-i br0") != std::string::npos;
    };
    EXPECT_TRUE(soon("the guard", is_back, promptly + milliseconds(1000)));
  }
}

}  // namespace
}  // namespace plumbline::daemon
