// The second stage of undoing: what is there is compared with what was, and each difference is put
// back by itself where all of them cannot be.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "tests/support/dump.hpp"
#include "tests/support/failing_host.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"
#include "tests/support/stepping_host.hpp"

namespace plumbline::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string failing = "net/ipv4/conf/up0/rp_filter";
const std::string stuck = "net/ipv4/conf/lo/rp_filter";

/// Refuses to write one sysctl. From then on refuses the first change of every sort, so that a step
/// is not undone when it is asked for the first time, and always one more sysctl.
class GrudgingHost final : public io::Host {
 public:
  explicit GrudgingHost(io::Host& host) : host_(&host) {}

  [[nodiscard]] std::vector<wire::Reply> exchange(
      std::span<const wire::Request> requests) override {
    std::vector<wire::Reply> replies;
    for (const wire::Request& request : requests) {
      if (is_refused(request)) {
        replies.push_back({EIO, "made to fail by the test", {}, {}});
      } else {
        replies.push_back(host_->exchange(std::span(&request, 1)).front());
        if (is_change(request) && replies.back().error != 0) ++kernels_refusals_;
      }
    }
    return replies;
  }

  /// Changes that were passed on, and were not to be.
  [[nodiscard]] int kernels_refusals() const { return kernels_refusals_; }

 private:
  bool is_refused(const wire::Request& request) {
    if (!is_change(request)) return false;
    if (const auto* write = std::get_if<wire::SysctlWrite>(&request)) {
      if (write->path == failing) began_ = true;
      return began_ && (write->path == failing || write->path == stuck);
    }
    return began_ && refused_.insert(request.index()).second;
  }

  io::Host* host_;
  bool began_ = false;
  std::set<std::size_t> refused_;
  int kernels_refusals_ = 0;
};

class UndoTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    bring_up_loopback();
    ip("link add up0 type veth peer name up1");
    ip("link set up0 up");
    must_run({"iptables-nft", "-A", "FORWARD", "-s", "203.0.113.0/24", "-j", "DROP"});
  }
};

TEST_F(UndoTest, OnlyWhatCannotBePutBackIsLeftBehind) {
  Site site;
  GrudgingHost host(site.host());
  const engine::Outcome outcome = site.carry_out(site.prepare(R"({ "version": 1,
      "links": { "br0": { "kind": "bridge", "mac": "02:00:00:00:01:00" } },
      "sysctls": { "net.ipv4.conf.lo.rp_filter": 2, "net.ipv4.conf.up0.rp_filter": 2 } })"),
                                                 &host);
  EXPECT_EQ(outcome.result, engine::Result::failed);
  EXPECT_THAT(outcome.report.left_behind,
              ElementsAre("sysctl net.ipv4.conf.lo.rp_filter is not as it was"));
  EXPECT_THAT(ip("link show"), Not(HasSubstr("br0")));
}

TEST_F(UndoTest, AChainGoesAfterTheJumpToItWhateverIsBetweenThem) {
  Site site;
  const std::string before = dump_namespace({failing});
  GrudgingHost host(site.host());
  const engine::Outcome outcome = site.carry_out(site.prepare(R"({ "version": 1,
      "links": { "br0": { "kind": "bridge", "mac": "02:00:00:00:01:00" } },
      "routes": [ { "to": "10.9.0.0/16", "type": "blackhole" } ],
      "sysctls": { "net.ipv4.conf.up0.rp_filter": 2 },
      "iptables": { "filter": {
        "chains": { "APP": { "rules": ["-s 10.0.0.1/32 -j DROP"] } },
        "shared": { "FORWARD": { "insert": ["-j APP"] } } } } })"),
                                                 &host);
  EXPECT_EQ(outcome.result, engine::Result::rolled_back);
  EXPECT_THAT(outcome.report.left_behind, IsEmpty());
  EXPECT_EQ(difference(before, dump_namespace({failing})), "");
  EXPECT_EQ(host.kernels_refusals(), 0);
}

TEST_F(UndoTest, APolicyGoesWithTheRulesOfAChainThatWasNotThere) {
  Site site;
  GrudgingHost host(site.host());
  const engine::Outcome outcome = site.carry_out(site.prepare(R"({ "version": 1,
      "sysctls": { "net.ipv4.conf.up0.rp_filter": 2 },
      "iptables": { "filter": {
        "chains": { "APP": { "rules": ["-s 10.0.0.1/32 -j DROP"] } },
        "shared": { "OUTPUT": { "policy": "DROP", "insert": ["-j APP"] } } } } })"),
                                                 &host);
  EXPECT_EQ(outcome.result, engine::Result::rolled_back);
  EXPECT_EQ(must_run({"iptables-nft", "-S", "OUTPUT"}), "-P OUTPUT ACCEPT\n");
  EXPECT_EQ(host.kernels_refusals(), 0);
}

TEST_F(UndoTest, WhatOthersMadeMeanwhileIsNotLeftBehind) {
  Site site;
  GrudgingHost grudging(site.host());
  SteppingHost host(grudging, [](std::size_t change) {
    if (change == 0) ip("route add unreachable 10.66.0.0/16 proto bgp");
  });
  const engine::Outcome outcome = site.carry_out(
      site.prepare(R"({ "version": 1, "sysctls": { "net.ipv4.conf.up0.rp_filter": 2 } })"), &host);
  EXPECT_EQ(outcome.result, engine::Result::rolled_back);
  EXPECT_THAT(outcome.report.left_behind, IsEmpty());
  EXPECT_THAT(ip("route show"), HasSubstr("unreachable 10.66.0.0/16"));
}

TEST_F(UndoTest, WhatHangsOnALinkThatHasGoneIsRemovedAlready) {
  Site site;
  ip("link add gone0 type bridge");
  ip("address add 10.3.0.1/24 dev gone0");
  const State have = engine::look_around(site.host()).state;
  ASSERT_EQ(have.of<Address>().size(), 3U) << "those of lo and gone0";
  ip("link delete gone0");
  Plan plan;
  for (const Address& address : have.of<Address>()) {
    if (format(address.link) != "gone0") continue;
    plan.steps.emplace_back();
    plan.steps.back().key = key(address);
    plan.steps.back().action = Action::remove;
    plan.steps.back().before = address;
  }
  const engine::Context context = site.context();
  const engine::Report report = engine::apply(context.host, context.ruleset, plan, {{}, {}, true});
  EXPECT_FALSE(report.failed);
  ASSERT_EQ(report.steps.size(), 1U);
  EXPECT_EQ(report.steps.front().result, engine::StepResult::done) << report.steps.front().message;
}

}  // namespace
}  // namespace plumbline::test
