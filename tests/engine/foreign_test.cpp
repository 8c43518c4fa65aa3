// What is not ours stays as it is: canaries of every kind, through apply, change and removal. And
// what carries somebody else's things is not removed without being told.

#include <gtest/gtest.h>

#include "tests/support/dump.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {
namespace {

const char* const spec = R"({
  "version": 1,
  "links": {
    "br0": { "kind": "bridge", "mac": "02:00:00:00:01:00", "addresses": ["10.1.0.1/24", "fd00:1::1/64"] },
    "tap1": { "kind": "tap", "mac": "02:00:00:00:01:01", "master": "br0" },
    "up0": { "kind": "physical", "addresses": ["192.0.2.50/24"] }
  },
  "routes": [
    { "to": "10.9.0.0/16", "type": "blackhole" },
    { "to": "10.8.0.0/16", "via": "10.1.0.9" },
    { "to": "10.200.0.0/16", "via": "192.0.2.1", "metric": 20, "table": 100 }
  ],
  "rules": [ { "priority": 1000, "from": "10.1.0.0/24", "table": 100 } ],
  "sysctls": { "net.ipv4.ip_forward": 1 },
  "iptables": {
    "filter": {
      "chains": { "APP": { "rules": ["-d 10.0.0.0/8 -j ACCEPT"] } },
      "shared": { "FORWARD": { "insert": ["-i br0 -j APP"], "append": ["-o br0 -j DROP"] },
                  "DOCKER-USER": { "insert": ["-i br0 -j RETURN"] } }
    },
    "nat": { "shared": { "POSTROUTING": { "append": ["-s 10.1.0.0/24 -o up0 -j MASQUERADE"] } } }
  }
})";

const char* const changed = R"({
  "version": 1,
  "links": {
    "br0": { "kind": "bridge", "mac": "02:00:00:00:01:00", "mtu": 1400, "addresses": ["10.1.0.1/24", "10.1.0.2/24"] },
    "tap1": { "kind": "tap", "mac": "02:00:00:00:01:01", "mtu": 1400, "master": "br0", "port": { "isolated": true } },
    "up0": { "kind": "physical", "addresses": ["192.0.2.51/24"] }
  },
  "routes": [ { "to": "10.9.0.0/16", "type": "unreachable" }, { "to": "10.8.0.0/16", "via": "10.1.0.10" } ],
  "rules": [ { "priority": 1000, "from": "10.1.0.0/24", "table": 101 } ],
  "iptables": {
    "filter": {
      "chains": { "APP": { "rules": ["-j ACCEPT"] } },
      "shared": { "FORWARD": { "append": ["-i br0 -j APP"] } }
    }
  }
})";

class ForeignTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    bring_up_loopback();
    must_run({"sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0"});
    ip("link add up0 type veth peer name up1");
    ip("link set up0 up");
    ip("link set up1 up");
    ip("address add 192.0.2.2/24 dev up0");
    ip("link add fbr type bridge");
    ip("link set fbr up");
    ip("tuntap add dev ftap mode tap");
    ip("link set ftap master fbr");
    ip("link set ftap alias not-plumbline:1;;");
    ip("link set lo alias plumbline:1;;");  // forged: nobody makes it
    ip("address add 172.17.0.1/16 dev fbr");
    ip("route add default via 192.0.2.1");
    ip("route add 10.200.0.0/16 via 192.0.2.9 proto bgp metric 20");
    ip("route add 10.201.0.0/16 via 192.0.2.9 proto static");
    ip("route add unreachable 10.202.0.0/16 table 100");
    ip("rule add priority 1000 from 10.1.0.0/24 table 100");
    ip("rule add priority 900 fwmark 0x7 table 77 protocol 50");
    must_run({"tc", "qdisc", "add", "dev", "up0", "root", "pfifo"});
    for (const char* program : {"iptables-nft", "ip6tables-nft"}) {
      must_run({program, "-N", "DOCKER-USER"});
      must_run({program, "-A", "DOCKER-USER", "-j", "RETURN"});
      must_run({program, "-N", "F2B"});
      must_run({program, "-A", "F2B", "-p", "tcp", "-m", "comment", "--comment",
                "a \"b\" plumbline", "-j", "DROP"});
      must_run({program, "-A", "FORWARD", "-j", "DOCKER-USER"});
      must_run({program, "-A", "INPUT", "-j", "F2B"});
      must_run({program, "-P", "OUTPUT", "DROP"});
    }
    must_run({"iptables-nft", "-t", "nat", "-A", "POSTROUTING", "-s", "172.17.0.0/16", "-j",
              "MASQUERADE"});
  }

  /// What a dump holds of others: all but the lines about what the specs above make.
  static std::string of_others() {
    std::string rest;
    std::istringstream in(dump_namespace());
    for (std::string line; std::getline(in, line);) {
      const bool ours =
          line.find("br0") != std::string::npos || line.find("tap1") != std::string::npos ||
          line.find("proto 112") != std::string::npos ||
          line.find("protocol 112") != std::string::npos ||
          line.find("192.0.2.5") != std::string::npos || line.find("APP") != std::string::npos ||
          line.find("--comment plumbline") != std::string::npos ||
          line.find("10.1.0.") != std::string::npos ||
          line.find("from 10.1.0.0/24 lookup 10") != std::string::npos;
      if (!ours) rest += line + "\n";
    }
    return rest;
  }

  static void expect_canaries(const std::string& before, const char* when) {
    EXPECT_EQ(difference(before, of_others()), "") << when;
    EXPECT_NE(ip("rule show").find("1000:\tfrom 10.1.0.0/24 lookup 100\n"), std::string::npos);
  }
};

TEST_F(ForeignTest, StaysAsItIsThroughApplyChangeAndRemoval) {
  Site site;
  const std::string all = dump_namespace();
  const std::string others = of_others();
  site.apply(spec);
  expect_canaries(others, "after apply");
  site.apply(changed);
  expect_canaries(others, "after a change");
  site.apply(spec);
  expect_canaries(others, "after a change back");
  site.options.allow_empty = true;
  site.apply(R"({"version": 1})");
  EXPECT_EQ(difference(all, dump_namespace()), "");
}

TEST_F(ForeignTest, KeepsALinkThatCarriesAnythingOfOthersUntilTold) {
  const char* const things[] = {
      "ip address add 10.77.0.1/24 dev br0",
      "ip route add 10.78.0.0/16 dev br0",
      "ip -6 route add fd00:78::/48 dev br0 proto static",
      "ip link set ftap master br0",
      "tc qdisc add dev br0 root pfifo",
  };
  for (const char* thing : things) {
    SCOPED_TRACE(thing);
    Site site;
    site.apply(spec);
    std::vector<std::string> words;
    std::istringstream in(thing);
    for (std::string word; in >> word;) words.push_back(word);
    must_run(words);
    site.options.allow_empty = true;
    const std::string before = dump_namespace();
    engine::Prepared prepared = site.prepare(R"({"version": 1})");
    ASSERT_FALSE(prepared.plan.refusals.empty()) << shown(prepared);
    EXPECT_EQ(prepared.plan.refusals.front().code, Code::foreign_dependents);
    EXPECT_EQ(site.carry_out(prepared).result, engine::Result::refused);
    EXPECT_EQ(difference(before, dump_namespace()), "");
    site.options.take_foreign = true;
    site.apply(R"({"version": 1})");
    EXPECT_EQ(ip("link show").find("br0"), std::string::npos);
    ip("link set ftap master fbr");
  }
}

TEST_F(ForeignTest, InTheWayIsARefusalThatNamesIt) {
  struct {
    const char* command;
    const char* key;
  } const cases[] = {
      {"ip link add br0 type veth peer name elsewhere", "link br0"},
      {"ip route add unreachable 10.9.0.0/16 proto bgp", "route inet main 10.9.0.0/16"},
      {"iptables-nft -N APP", nullptr},
      {"iptables-nft -A APP -j DROP", "chain inet filter APP"},
  };
  for (const auto& [command, key] : cases) {
    SCOPED_TRACE(command);
    std::vector<std::string> words;
    std::istringstream in(command);
    for (std::string word; in >> word;) words.push_back(word);
    must_run(words);
    if (key == nullptr) continue;
    Site site;
    const std::string before = dump_namespace();
    const engine::Prepared prepared = site.prepare(spec);
    ASSERT_FALSE(prepared.plan.refusals.empty());
    bool named = false;
    for (const Diagnostic& refusal : prepared.plan.refusals) {
      named = named || (refusal.code == Code::foreign_conflict &&
                        refusal.message.find(key) != std::string::npos);
    }
    EXPECT_TRUE(named) << shown(prepared);
    EXPECT_EQ(site.carry_out(prepared).result, engine::Result::refused);
    EXPECT_EQ(difference(before, dump_namespace()), "");
  }
}

}  // namespace
}  // namespace plumbline::test
