// What `plumbline run` does when somebody changes the kernel behind its back.

#include "tests/daemon/running.hpp"

namespace plumbline::daemon {
namespace {

const std::string host = R"(
  "links":  { "br0": { "kind": "bridge", "addresses": ["10.1.0.1/24"] } },
  "routes": [ { "to": "10.9.0.0/16", "type": "blackhole" }, { "to": "10.8.0.0/16", "via": "10.1.0.2", "dev": "br0" } ],
  "rules":  [ { "priority": 1000, "from": "10.1.0.0/24", "table": 100 } ],
  "sysctls": { "net.ipv4.ip_forward": 1 })";

const std::string firewall = R"(,
  "iptables": { "filter": { "chains": { "APP": { "rules": ["-s 10.1.0.0/24 -j ACCEPT", "-j DROP"] } },
                            "shared": { "FORWARD": { "insert": ["-i br0 -j APP"] } } } })";

bool has_rule() {
  return test::ip("rule show").find("from 10.1.0.0/24 lookup 100") != std::string::npos;
}

/// Of the rule with these words in a chain of the table `filter`, as nft(8) lists it.
std::string handle_of(const std::string& chain, const std::string& words) {
  std::istringstream listed(test::must_run({"nft", "-a", "list chain ip filter " + chain}));
  for (std::string line; std::getline(listed, line);) {
    const auto at = line.find("# handle ");
    if (line.find(words) != std::string::npos && at != std::string::npos)
      return line.substr(at + 9);
  }
  return {};
}

class RunDrift : public RunTest {};

TEST_F(RunDrift, PutsBackADeletedRoute) {
  write(file(), spec(host));
  start_and_converge();
  test::ip("route del blackhole 10.9.0.0/16");
  EXPECT_TRUE(soon("the route", [] { return has_route("10.9.0.0/16"); }));
  EXPECT_TRUE(soon("the log line", [&] { return logged("+ route inet main 10.9.0.0/16"); }));
}

TEST_F(RunDrift, PutsBackADeletedRule) {
  write(file(), spec(host));
  start_and_converge();
  test::ip("rule del priority 1000");
  EXPECT_TRUE(soon("the rule", has_rule));
}

TEST_F(RunDrift, PutsBackADeletedLinkWithEverythingOnIt) {
  write(file(), spec(host));
  start_and_converge();
  test::ip("link del br0");
  EXPECT_TRUE(soon("the link", [] { return ip_shows("link show", "br0:"); }));
  EXPECT_TRUE(soon("its address", [] { return ip_shows("addr show dev br0", "10.1.0.1/24"); }));
  EXPECT_TRUE(soon("its route", [] { return ip_shows("route show", "10.8.0.0/16 via 10.1.0.2"); }));
}

TEST_F(RunDrift, PutsBackADeletedAddressAndAChangedLink) {
  write(file(), spec(host));
  start_and_converge();
  test::ip("addr del 10.1.0.1/24 dev br0");
  EXPECT_TRUE(soon("the address", [] { return ip_shows("addr show dev br0", "10.1.0.1/24"); }));
  EXPECT_TRUE(soon("its route", [] { return ip_shows("route show", "10.8.0.0/16 via 10.1.0.2"); }));
  test::ip("link set br0 down");
  EXPECT_TRUE(soon("up again", [] { return ip_shows("link show br0", ",UP"); }));
  EXPECT_TRUE(soon("its route", [] { return ip_shows("route show", "10.8.0.0/16 via 10.1.0.2"); }));
}

TEST_F(RunDrift, PutsBackASysctlWithinTheInterval) {
  write(file(), spec(host));
  start_and_converge("1s");
  write("/proc/sys/net/ipv4/ip_forward", "0");
  const auto is_on = [] {
    std::string value;
    std::ifstream("/proc/sys/net/ipv4/ip_forward") >> value;
    return value == "1";
  };
  EXPECT_TRUE(soon("the sysctl", is_on, 2 * promptly));
}

bool has_guard(const std::string& iptables) {
  return test::run({iptables, "-C", "APP", "-j", "DROP"}).status == 0;
}

bool forwards_to_app(const std::string& iptables) {
  return test::run({iptables, "-S", "FORWARD"}).output.find("-j APP") != std::string::npos;
}

TEST_F(RunDrift, PutsBackChainRulesWhenTheyChange) {
  if (test::run({"iptables-nft", "-S"}).status != 0) GTEST_SKIP() << "iptables-nft does not work";
  // No link: what a new one goes through is news too.
  write(file(), spec(firewall.substr(1)));
  start_and_converge("1h", {}, {"--iptables", "nft"});
  const auto is_back = [] { return has_guard("iptables-nft"); };
  test::must_run({"iptables-nft", "-D", "APP", "-j", "DROP"});
  EXPECT_TRUE(soon("the rule of our chain", is_back));
  EXPECT_TRUE(logged("nf_tables was changed by iptables-nft, pid "));
  test::must_run({"iptables-nft", "-F", "FORWARD"});
  EXPECT_TRUE(soon("the jump in a shared chain", [] { return forwards_to_app("iptables-nft"); }));

  if (test::run({"nft", "--version"}).status != 0) return;
  test::must_run({"nft", "flush chain ip filter APP"});
  EXPECT_TRUE(soon("the rules of a flushed chain", is_back));
  test::must_run({"nft", "delete rule ip filter APP handle " + handle_of("APP", "drop")});
  EXPECT_TRUE(soon("the rule again", is_back));
}

/// In a container the kernel knows us by another process id than we do.
TEST_F(RunDrift, KnowsItsOwnCommitsInAPidNamespace) {
  if (test::run({"iptables-nft", "-S"}).status != 0) GTEST_SKIP() << "iptables-nft does not work";
  if (test::run({"unshare", "--pid", "--fork", "true"}).status != 0) {
    GTEST_SKIP() << "no PID namespace can be made";
  }
  start_through({"unshare", "--pid", "--fork", "--kill-child"});
  write(file(), spec(firewall.substr(1)));
  start_and_converge("1h", {}, {"--iptables", "nft"});
  test::must_run({"iptables-nft", "-D", "APP", "-j", "DROP"});
  EXPECT_TRUE(soon("the rule", [] { return has_guard("iptables-nft"); }));
  EXPECT_TRUE(soon("the word of who it was",
                   [&] { return logged("nf_tables was changed by iptables-nft, pid "); }));
  EXPECT_FALSE(logged("nf_tables was changed by plumbline"));
}

TEST_F(RunDrift, PutsBackChainRulesOfLegacyIptablesWithinTheInterval) {
  if (test::run({"iptables-legacy", "-S"}).status != 0) {
    GTEST_SKIP() << "iptables-legacy does not work here";
  }
  write(file(), spec(firewall.substr(1)));
  start_and_converge("1s", {}, {"--iptables", "legacy"});
  test::must_run({"iptables-legacy", "-D", "APP", "-j", "DROP"});
  EXPECT_TRUE(soon(
      "the rule of our chain", [] { return has_guard("iptables-legacy"); }, 2 * promptly));
  test::must_run({"iptables-legacy", "-F", "FORWARD"});
  EXPECT_TRUE(soon(
      "the jump in a shared chain", [] { return forwards_to_app("iptables-legacy"); },
      2 * promptly));
}

TEST_F(RunDrift, LooksAtMostOnceMoreAfterItsOwnChangeOfChains) {
  if (test::run({"iptables-nft", "-S"}).status != 0) GTEST_SKIP() << "iptables-nft does not work";
  write(file(), spec(firewall.substr(1)));
  start_and_converge("1h", {}, {"--iptables", "nft"});
  const auto passes = [&] { return times_logged("debug pass ("); };
  std::this_thread::sleep_for(promptly);
  const int before = passes();
  test::must_run({"iptables-nft", "-D", "APP", "-j", "DROP"});
  EXPECT_TRUE(soon("the rule", [] { return has_guard("iptables-nft"); }));
  std::this_thread::sleep_for(promptly);
  EXPECT_LE(passes() - before, 2);
}

TEST_F(RunDrift, LeavesForeignObjectsAlone) {
  write(file(), spec(host));
  start_and_converge();
  test::ip("route add blackhole 10.66.0.0/16 proto 99");
  test::ip("route del blackhole 10.9.0.0/16");
  EXPECT_TRUE(soon("the route", [] { return has_route("10.9.0.0/16"); }));
  EXPECT_TRUE(has_route("10.66.0.0/16"));
}

TEST_F(RunDrift, LooksAtMostOnceMoreAfterItsOwnChanges) {
  // No link: the kernel goes on to settle IPv6 on a new one for seconds, which is news each time.
  write(file(), spec(R"("rules": [ { "priority": 1000, "from": "10.1.0.0/24", "table": 100 } ])"));
  start_and_converge();
  const auto passes = [&] { return times_logged("debug pass ("); };
  const int before = passes();
  test::ip("rule del priority 1000");
  EXPECT_TRUE(soon("the rule", has_rule));
  std::this_thread::sleep_for(promptly);
  EXPECT_LE(passes() - before, 2);
}

TEST_F(RunDrift, AnObjectThatOthersRevertAgainAndAgainIsNamedAndLeftAlone) {
  write(file(), spec(host));
  start_and_converge();
  for (int i = 1; i <= 5; ++i) {
    test::ip("route del blackhole 10.9.0.0/16");
    ASSERT_TRUE(soon("repair " + std::to_string(i), [] { return has_route("10.9.0.0/16"); }));
  }
  EXPECT_TRUE(soon("the name of what is fought over", [&] {
    return logged("route inet main 10.9.0.0/16 had to be repaired again and again");
  }));
  test::ip("route del blackhole 10.9.0.0/16");
  EXPECT_TRUE(soon("that it is left", [&] {
    return logged("left as somebody else made it for now: route inet main 10.9.0.0/16");
  }));
  EXPECT_FALSE(has_route("10.9.0.0/16"));

  test::ip("rule del priority 1000");
  EXPECT_TRUE(soon("the repair of something else", has_rule));
  EXPECT_FALSE(has_route("10.9.0.0/16")) << "still left alone";

  ::kill(pid(), SIGHUP);
  EXPECT_TRUE(soon("the repair a person asked for", [] { return has_route("10.9.0.0/16"); }));
}

}  // namespace
}  // namespace plumbline::daemon
