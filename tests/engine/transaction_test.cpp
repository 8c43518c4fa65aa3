// All or nothing, on the real kernel: a step that fails, in any position, leaves the namespace as
// it was. The witnesses are ip(8), tc(8) and iptables-save(8).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <functional>

#include "tests/support/dump.hpp"
#include "tests/support/failing_host.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {
namespace {

const std::vector<std::string> watched_sysctls = {"net/ipv4/ip_forward",
                                                  "net/ipv4/conf/all/forwarding",
                                                  "net/ipv4/conf/up0/forwarding",
                                                  "net/ipv4/conf/default/forwarding",
                                                  "net/ipv4/conf/all/accept_redirects",
                                                  "net/ipv4/conf/up0/rp_filter",
                                                  "net/ipv4/conf/lo/rp_filter"};

/// Somebody else's things, beside which everything happens.
void make_foreigners() {
  bring_up_loopback();
  // Without duplicate address detection an IPv6 address is whole at once, not a second later.
  must_run({"sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0"});
  ip("link add up0 type veth peer name up1");
  ip("link set up0 address 02:00:00:00:00:0a");
  ip("link set up1 address 02:00:00:00:00:0b");
  ip("link set up0 up");
  ip("link set up1 up");
  ip("address add 192.0.2.2/24 dev up0");
  ip("address add 198.51.100.7/32 dev up1");
  ip("route add default via 192.0.2.1");
  ip("route add 10.200.0.0/16 via 192.0.2.9 proto bgp metric 20");
  ip("-6 address add 2001:db8::2/64 dev up0 nodad");
  ip("rule add priority 900 from 10.200.0.0/16 table 77");
  must_run({"iptables-nft", "-N", "FOREIGN"});
  must_run({"iptables-nft", "-A", "FOREIGN", "-s", "203.0.113.0/24", "-j", "DROP"});
  must_run({"iptables-nft", "-A", "FORWARD", "-j", "FOREIGN"});
}

const std::string first_spec = R"({
  "version": 1,
  "links": {
    "br0": { "kind": "bridge", "mac": "02:00:00:00:01:00", "addresses": ["10.1.0.1/24", "fd00:1::1/64"] },
    "tap1": { "kind": "tap", "mac": "02:00:00:00:01:01", "master": "br0", "tap": { "owner": 1000 } },
    "tap2": { "kind": "tap", "mac": "02:00:00:00:01:02", "mtu": 1400 },
    "v0": { "kind": "veth", "mac": "02:00:00:00:01:03", "veth": { "peer": "v1" }, "addresses": ["10.2.0.1/30"] },
    "v1": { "kind": "veth", "mac": "02:00:00:00:01:04", "veth": { "peer": "v0" } },
    "vx0": { "kind": "vxlan", "mac": "02:00:00:00:01:07", "vxlan": { "id": 10, "local": "192.0.2.2", "port": 4789, "device": "up0" } },
    "vx1": { "kind": "vxlan", "mac": "02:00:00:00:01:08", "vxlan": { "id": 11, "port": 4789 } },
    "ifb7": { "kind": "ifb", "mac": "02:00:00:00:01:09" },
    "up0": { "kind": "physical", "mtu": 1450, "addresses": ["192.0.2.50/24"] }
  },
  "routes": [
    { "to": "10.9.0.0/16", "type": "blackhole" },
    { "to": "10.8.0.0/16", "via": "192.0.2.8", "dev": "up0" },
    { "to": "default", "via": "10.2.0.2", "dev": "v0", "table": 100 },
    { "to": "10.7.0.0/16", "nexthops": [ { "via": "192.0.2.8", "dev": "up0" }, { "via": "10.2.0.2", "dev": "v0", "weight": 3 } ] },
    { "to": "fd00:9::/48", "via": "fd00:1::9", "dev": "br0" }
  ],
  "rules": [ { "priority": 1000, "from": "10.1.0.0/24", "table": 100 } ],
  "sysctls": { "net.ipv4.ip_forward": 1 },
  "iptables": {
    "filter": {
      "chains": { "APP-EGRESS": { "rules": ["-p tcp --dport 25 -j DROP", "-d 10.0.0.0/8 -j ACCEPT"] } },
      "shared": { "FORWARD": { "insert": ["-i br0 -j APP-EGRESS"] } }
    },
    "nat": { "shared": { "POSTROUTING": { "append": ["-s 10.1.0.0/24 -o up0 -j MASQUERADE"] } } },
    "raw": { "shared": { "OUTPUT": { "policy": "DROP" } } }
  }
})";

/// Something of every kind is made, changed in place, replaced and removed on the way from the
/// first.
const std::string second_spec = R"({
  "version": 1,
  "links": {
    "br0": { "kind": "bridge", "mac": "02:00:00:00:01:00", "addresses": ["10.1.0.1/24", "10.3.0.1/24"],
             "bridge": { "ageingTime": 100 } },
    "tap2": { "kind": "tap", "mac": "02:00:00:00:01:02", "mtu": 1300, "master": "br0", "port": { "isolated": true } },
    "tap3": { "kind": "tap", "mac": "02:00:00:00:01:05" },
    "v0": { "kind": "veth", "mac": "02:00:00:00:01:03", "veth": { "peer": "v2" }, "addresses": ["10.2.0.1/30"] },
    "v2": { "kind": "veth", "mac": "02:00:00:00:01:06", "veth": { "peer": "v0" } },
    "vx0": { "kind": "vxlan", "mac": "02:00:00:00:01:07", "vxlan": { "id": 10, "remote": "192.0.2.9", "port": 4789, "device": "up0", "learning": false } },
    "vx2": { "kind": "vxlan", "mac": "02:00:00:00:01:0a", "vxlan": { "id": 11, "port": 4789, "device": "br0" } },
    "ifb7": { "kind": "ifb", "mac": "02:00:00:00:01:0b" },
    "up0": { "kind": "physical", "addresses": ["192.0.2.51/24"] }
  },
  "routes": [
    { "to": "10.9.0.0/16", "type": "unreachable" },
    { "to": "10.8.0.0/16", "via": "192.0.2.8", "dev": "up0", "mtu": 1300 },
    { "to": "default", "via": "10.2.0.2", "dev": "v0", "table": 100 },
    { "to": "10.7.0.0/16", "nexthops": [ { "via": "192.0.2.8", "dev": "up0" }, { "via": "10.2.0.2", "dev": "v0", "weight": 5 } ] },
    { "to": "10.6.0.0/16", "via": "10.3.0.9", "src": "10.3.0.1" }
  ],
  "rules": [ { "priority": 1000, "from": "10.1.0.0/24", "table": 101 } ],
  "sysctls": { "net.ipv4.conf.up0.rp_filter": 2 },
  "iptables": {
    "filter": {
      "chains": { "APP-EGRESS": { "rules": ["-d 10.0.0.0/8 -j ACCEPT", "-j DROP"] },
                  "APP-HOST": { "rules": ["-p udp --dport 53 -j ACCEPT"] } },
      "shared": { "FORWARD": { "policy": "DROP", "insert": ["-i br0 -j APP-EGRESS"] },
                  "INPUT": { "append": ["-i br0 -j APP-HOST"] } }
    }
  },
  "ip6tables": { "filter": { "shared": { "FORWARD": { "insert": ["-i br0 -j DROP"] } } } }
})";

class TransactionTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (!IsSkipped()) make_foreigners();
  }
};

/// Carries the way from one spec to the other out with every one of its requests failing in turn.
/// That a value is not taken back fails nothing, and is told.
void fail_everywhere(Site& site, const std::string& from, const std::string& spec_text) {
  std::string before = dump_namespace(watched_sysctls);
  std::size_t position = 0;
  while (true) {
    const engine::Prepared prepared = site.prepare(spec_text);
    ASSERT_TRUE(prepared.plan.refusals.empty()) << format(prepared.plan.refusals.front());
    FailingHost host(site.host(), position);
    const engine::Outcome outcome = site.carry_out(prepared, &host);
    if (host.changes() <= position) break;
    ++position;
    if (!outcome.report.failed) {
      site.apply(from);
      before = dump_namespace(watched_sysctls);
      continue;
    }
    std::string left;
    for (const std::string& what : outcome.report.left_behind) left += what + "\n";
    ASSERT_EQ(outcome.result, engine::Result::rolled_back) << "request " << position << "\n"
                                                           << shown(prepared) << left;
    ASSERT_EQ(difference(before, dump_namespace(watched_sysctls)), "")
        << "request " << position << "\n"
        << shown(prepared);
  }
  EXPECT_GT(position, 20U) << "the plan has become too small to show anything";
}

TEST_F(TransactionTest, AStepThatFailsWhereNothingWasLeavesNothing) {
  Site site;
  fail_everywhere(site, R"({"version": 1})", first_spec);
}

TEST_F(TransactionTest, AStepThatFailsOnTheWayBetweenTwoSpecsLeavesTheFirst) {
  Site site;
  site.apply(first_spec);
  fail_everywhere(site, first_spec, second_spec);
}

TEST_F(TransactionTest, AStepThatFailsWhileEverythingIsRemovedLeavesEverything) {
  Site site;
  site.apply(first_spec);
  site.options.allow_empty = true;
  fail_everywhere(site, first_spec, R"({"version": 1})");
}

/// Throws `times` times from the `position`th exchange on that changes something or looks at the
/// links alone, as is done in the middle of an apply: before it is passed on, or after.
class ThrowingHost final : public io::Host {
 public:
  ThrowingHost(io::Host& host, std::size_t position, std::size_t times, bool passes_on)
      : host_(&host), position_(position), times_(times), passes_on_(passes_on) {}

  [[nodiscard]] std::vector<wire::Reply> exchange(
      std::span<const wire::Request> requests) override {
    const bool alone =
        requests.size() == 1 && std::holds_alternative<wire::NetlinkDump>(requests.front());
    const bool counts = alone || std::ranges::any_of(requests, is_change);
    const bool throws = counts && exchanges_ >= position_ && exchanges_ < position_ + times_;
    if (counts) ++exchanges_;
    if (!throws) return host_->exchange(requests);
    if (passes_on_) static_cast<void>(host_->exchange(requests));
    throw io::HostError("made to throw by the test");
  }

 private:
  io::Host* host_;
  std::size_t position_;
  std::size_t times_;
  bool passes_on_;
  std::size_t exchanges_ = 0;
};

/// Carries `prepared` out with the host throwing at every exchange in turn.
void throw_everywhere(Site& site, const std::string& spec_text, std::size_t times, bool passes_on) {
  const std::string before = dump_namespace(watched_sysctls);
  std::size_t position = 0;
  for (;; ++position) {
    ThrowingHost host(site.host(), position, times, passes_on);
    engine::Outcome outcome;
    try {
      outcome = site.carry_out(site.prepare(spec_text), &host);
    } catch (const io::HostError&) {
      EXPECT_TRUE(site.prepare(spec_text).plan.empty()) << "left half-way by " << position;
      break;
    }
    if (!outcome.report.failed) break;
    ASSERT_EQ(outcome.result, engine::Result::rolled_back)
        << "exchange " << position << testing::PrintToString(outcome.report.left_behind);
    ASSERT_EQ(difference(before, dump_namespace(watched_sysctls)), "") << "exchange " << position;
  }
  EXPECT_GT(position, 20U) << "the plan has become too small to show anything";
}

TEST_F(TransactionTest, AHostThatThrowsOnTheWayBetweenTwoSpecsLeavesTheFirst) {
  Site site;
  site.apply(first_spec);
  throw_everywhere(site, second_spec, 1, false);
}

TEST_F(TransactionTest, OneThatThrowsOnceItIsDoneAndAgainWhileItIsUndoneLeavesTheFirst) {
  Site site;
  site.apply(first_spec);
  throw_everywhere(site, second_spec, 2, true);
}

/// Takes the first change and refuses all others.
class JammedHost final : public io::Host {
 public:
  explicit JammedHost(io::Host& host) : host_(&host) {}

  [[nodiscard]] std::vector<wire::Reply> exchange(
      std::span<const wire::Request> requests) override {
    std::vector<wire::Reply> replies;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (is_change(requests[i]) && changes_++ > 0) {
        replies.push_back({EIO, "made to fail by the test", {}, {}});
      } else {
        replies.push_back(host_->exchange(requests.subspan(i, 1)).front());
      }
    }
    return replies;
  }

 private:
  io::Host* host_;
  int changes_ = 0;
};

/// Carries batches out and tells something else of it.
class LyingHost final : public io::Host {
 public:
  using Lie = std::function<wire::Reply(wire::Reply)>;
  LyingHost(io::Host& host, Lie lie) : host_(&host), lie_(std::move(lie)) {}

  [[nodiscard]] std::vector<wire::Reply> exchange(
      std::span<const wire::Request> requests) override {
    std::vector<wire::Reply> replies = host_->exchange(requests);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const bool batch = std::holds_alternative<wire::NftBatch>(requests[i]);
      if (batch && batches_++ == 0) replies[i] = lie_(std::move(replies[i]));
    }
    return replies;
  }

 private:
  io::Host* host_;
  Lie lie_;
  int batches_ = 0;
};

constexpr const char* chain_spec = R"({"version": 1, "iptables": {"filter": {
    "chains": {"APP": {"rules": ["-s 10.0.0.1/32 -j ACCEPT"]}},
    "shared": {"INPUT": {"insert": ["-j APP"]}}}}})";

TEST_F(TransactionTest, ARuleThatIsHeldOtherwiseThanItWasSentIsTakenBack) {
  Site site;
  const std::string before = dump_namespace(watched_sysctls);
  LyingHost host(site.host(), [](wire::Reply reply) {
    const std::vector<std::byte> sent{std::byte{10}, std::byte{0}, std::byte{0}, std::byte{1}};
    const auto found = std::ranges::search(reply.bytes, sent);
    EXPECT_FALSE(found.empty());
    found.front() = std::byte{11};
    return reply;
  });
  const engine::Outcome outcome = site.carry_out(site.prepare(chain_spec), &host);
  EXPECT_EQ(outcome.result, engine::Result::rolled_back)
      << testing::PrintToString(outcome.report.left_behind);
  const auto failed = std::ranges::find(outcome.report.steps, engine::StepResult::failed,
                                        &engine::StepReport::result);
  ASSERT_NE(failed, outcome.report.steps.end());
  EXPECT_THAT(failed->message, testing::HasSubstr("another rule than was sent"));
  EXPECT_EQ(difference(before, dump_namespace(watched_sysctls)), "");
}

TEST_F(TransactionTest, ACommitWhoseAnswerIsLostIsLookedAt) {
  Site site;
  LyingHost deaf(site.host(), [](const wire::Reply&) {
    return wire::Reply{ENOBUFS, "the kernel's answer was lost", {}, {}};
  });
  EXPECT_EQ(site.carry_out(site.prepare(chain_spec), &deaf).result, engine::Result::applied);
  LyingHost without_echo(site.host(), [](const wire::Reply&) { return wire::Reply{}; });
  site.options.allow_empty = true;
  site.apply(R"({"version": 1})");
  EXPECT_EQ(site.carry_out(site.prepare(chain_spec), &without_echo).result,
            engine::Result::applied);
  EXPECT_TRUE(site.prepare(chain_spec).plan.empty());
}

TEST_F(TransactionTest, WhatCouldNotBeUndoneIsPutBackLater) {
  Site site;
  const std::string before = dump_namespace(watched_sysctls);
  JammedHost host(site.host());
  const std::string spec = R"({"version": 1, "sysctls": {
    "net.ipv4.conf.lo.rp_filter": 2, "net.ipv4.conf.up0.rp_filter": 2 } })";
  const engine::Outcome outcome = site.carry_out(site.prepare(spec), &host);
  ASSERT_EQ(outcome.result, engine::Result::failed);
  EXPECT_EQ(outcome.report.left_behind.size(), 1U);
  site.options.allow_empty = true;
  site.apply(R"({"version": 1})");
  EXPECT_EQ(difference(before, dump_namespace(watched_sysctls)), "");
}

TEST_F(TransactionTest, RemovingEverythingLeavesWhatWasThereBefore) {
  Site site;
  const std::string before = dump_namespace(watched_sysctls);
  site.apply(first_spec);
  site.apply(second_spec);
  site.options.allow_empty = true;
  site.apply(R"({"version": 1})");
  EXPECT_EQ(difference(before, dump_namespace(watched_sysctls)), "");
}

}  // namespace
}  // namespace plumbline::test
