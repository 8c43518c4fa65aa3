// What an outcome says is so: beside others who change things, after a further look that failed,
// and where what came of it cannot be seen.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <optional>

#include "tests/support/failing_host.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"
#include "tests/support/stepping_host.hpp"

namespace plumbline::test {
namespace {

using engine::Result;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// The kernel refuses it at once, whoever asks.
const std::string fails = R"("sysctls": { "net.ipv4.ip_local_port_range": "5 1" })";

std::string spec(const std::string& members) { return R"({ "version": 1, )" + members + " }"; }

const std::string ours = R"("routes": [ { "to": "10.9.0.0/16", "type": "blackhole" } ])";

/// Asks the test before each request: an errno refuses it, -1 throws.
class AskingHost final : public io::Host {
 public:
  /// `judge` gets whether it is a change, and how many changes there were before.
  AskingHost(io::Host& host, std::function<int(bool, int)> judge)
      : host_(&host), judge_(std::move(judge)) {}

  [[nodiscard]] std::vector<wire::Reply> exchange(
      std::span<const wire::Request> requests) override {
    std::vector<wire::Reply> replies;
    for (const wire::Request& request : requests) {
      const bool is_one = is_change(request);
      const int answer = judge_(is_one, is_one ? changes_++ : changes_);
      if (answer < 0) throw io::HostError("made to throw by the test");
      if (answer > 0) {
        replies.push_back({answer, "made to fail by the test", {}, {}});
      } else {
        replies.push_back(host_->exchange({&request, 1}).front());
      }
    }
    return replies;
  }

 private:
  io::Host* host_;
  std::function<int(bool, int)> judge_;
  int changes_ = 0;
};

class OutcomeTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    bring_up_loopback();
    site_.emplace();  // Its sockets belong to the namespace they are opened in.
  }

  /// Carries out a spec that fails, while `meanwhile` happens before its first change.
  engine::Outcome fail_while(const std::string& members, const std::function<void()>& meanwhile) {
    SteppingHost host(site().host(), [&](std::size_t change) {
      if (change == 0) meanwhile();
    });
    return site().carry_out(site().prepare(spec(members)), &host);
  }

  Site& site() { return *site_; }

 private:
  std::optional<Site> site_;
};

TEST_F(OutcomeTest, WhatOthersRemoveMeanwhileIsNotLostByUs) {
  ip("link add up0 type bridge");
  ip("link add up1 type bridge");
  ip("link set up1 up");
  ip("address add 10.77.0.1/24 dev up1");
  ip("route add unreachable 10.66.0.0/16");
  const engine::Outcome outcome = fail_while(ours + ", " + fails, [] {
    ip("route del unreachable 10.66.0.0/16");
    ip("link del up0");
    ip("address del 10.77.0.1/24 dev up1");
    ip("link set up1 mtu 1400");
  });
  EXPECT_EQ(outcome.result, Result::rolled_back);
  EXPECT_THAT(outcome.report.left_behind, IsEmpty());
  EXPECT_THAT(ip("route show"), Not(HasSubstr("10.66"))) << "who removed it wants it gone";
  EXPECT_THAT(ip("link show"), Not(HasSubstr("up0")));
}

TEST_F(OutcomeTest, WhatIsOursAndOthersRemoveMeanwhileIsMadeAgain) {
  site().apply(spec(ours));
  const engine::Outcome outcome =
      fail_while(ours + ", " + fails, [] { ip("route del blackhole 10.9.0.0/16"); });
  EXPECT_EQ(outcome.result, Result::rolled_back);
  EXPECT_THAT(ip("route show"), HasSubstr("blackhole 10.9.0.0/16"));
}

TEST_F(OutcomeTest, AnUnfinishedLinkOfOursIsBackWhenItIsFinished) {
  const std::string bridge = R"("links": { "br0": { "kind": "bridge" } })";
  site().apply(spec(bridge));
  // Of a link about to be removed, as a killed apply leaves it: link_mark.hpp.
  for (const char* const group : {"0x504c4d43", "0x504c4d42"}) {
    ip(std::string("link set br0 group ") + group);
    const engine::Outcome outcome = fail_while(bridge + ", " + fails, [] {});
    EXPECT_EQ(outcome.result, Result::rolled_back) << group;
    EXPECT_THAT(outcome.report.left_behind, IsEmpty()) << group;
    EXPECT_THAT(ip("-d link show dev br0"), HasSubstr("alias plumbline:1;"));
  }
  site().apply(spec(bridge));
}

TEST_F(OutcomeTest, WhatWasAppliedIsAppliedThoughAFurtherLookFoundMoreThatFailed) {
  for (const int answer : {EIO, -1}) {
    SCOPED_TRACE(answer);
    bool removed = false;
    AskingHost host(site().host(), [&](bool is_one, int changes) {
      if (changes == 0) return 0;
      if (!is_one && !removed) {
        removed = true;
        ip("route del blackhole 10.9.0.0/16");
      }
      return is_one ? answer : 0;
    });
    const engine::Outcome outcome = site().carry_out(site().prepare(spec(ours)), &host);
    EXPECT_EQ(outcome.result, Result::applied);
    EXPECT_THAT(outcome.report.left_behind, IsEmpty());
    EXPECT_THAT(outcome.unsettled, ElementsAre("route inet main 10.9.0.0/16"));
    EXPECT_THAT(outcome.settled, IsEmpty());
    ASSERT_FALSE(outcome.warnings.empty());
    EXPECT_THAT(outcome.warnings.front().message, HasSubstr("made to"));
  }
}

TEST_F(OutcomeTest, ChangesThatCannotBeLookedAtAreToldAndNotDenied) {
  const auto blind = [](bool is_one, int changes) { return !is_one && changes > 0 ? -1 : 0; };
  AskingHost host(site().host(), blind);
  const engine::Outcome outcome = site().carry_out(site().prepare(spec(ours)), &host);
  EXPECT_EQ(outcome.result, Result::applied);
  ASSERT_EQ(outcome.report.steps.size(), 1U);
  EXPECT_EQ(outcome.report.steps.front().result, engine::StepResult::done);
  ASSERT_EQ(outcome.warnings.size(), 1U);
  EXPECT_THAT(outcome.warnings.front().message, HasSubstr("could not be looked at"));
  EXPECT_THAT(ip("route show"), HasSubstr("blackhole 10.9.0.0/16"));
  EXPECT_EQ(shown(site().prepare(spec(ours))), "No changes. The host matches the spec.\n");
}

TEST_F(OutcomeTest, WhatCouldNotBeSeenToBeBackStaysRemembered) {
  site().options.allow_empty = true;
  site().apply(spec(R"("sysctls": { "net.ipv4.ip_default_ttl": 70 })"));
  const auto blind = [](bool is_one, int changes) { return !is_one && changes > 0 ? -1 : 0; };
  AskingHost host(site().host(), blind);
  const engine::Outcome outcome = site().carry_out(site().prepare(R"({ "version": 1 })"), &host);
  EXPECT_EQ(outcome.result, Result::applied);
  const engine::Prepared after = site().prepare(R"({ "version": 1 })");
  EXPECT_NE(after.ledger.memory.earlier.find<Sysctl>({"net/ipv4/ip_default_ttl"}), nullptr);
  static_cast<void>(site().carry_out(after));
  EXPECT_EQ(site().prepare(R"({ "version": 1 })").ledger, engine::Ledger());
}

/// Lists no links any more once something was changed.
class BlindHost final : public io::Host {
 public:
  explicit BlindHost(io::Host& host) : host_(&host) {}

  [[nodiscard]] std::vector<wire::Reply> exchange(
      std::span<const wire::Request> requests) override {
    for (const wire::Request& request : requests) {
      changed_ = changed_ || is_change(request);
      const bool looks = std::holds_alternative<wire::NetlinkDump>(request);
      if (looks && changed_) throw io::HostError("made to throw by the test");
    }
    return host_->exchange(requests);
  }

 private:
  io::Host* host_;
  bool changed_ = false;
};

TEST_F(OutcomeTest, TablesThatCameWithOursGoLaterWhereNobodyCouldLook) {
  site().options.allow_empty = true;
  site().apply(spec(R"("iptables": { "raw": { "chains": { "APP": { "rules": [] } } } })"));
  BlindHost host(site().host());
  const engine::Outcome outcome = site().carry_out(site().prepare(R"({ "version": 1 })"), &host);
  EXPECT_EQ(outcome.result, Result::applied);
  ASSERT_THAT(must_run({"nft", "list", "tables"}), HasSubstr("raw"));
  static_cast<void>(site().carry_out(site().prepare(R"({ "version": 1 })")));
  EXPECT_EQ(must_run({"nft", "list", "tables"}), "");
  EXPECT_EQ(site().prepare(R"({ "version": 1 })").ledger, engine::Ledger());
}

TEST_F(OutcomeTest, AFailureThatCannotBeLookedAtLeavesItOpenWhetherAllIsBack) {
  const auto blind = [](bool is_one, int changes) { return !is_one && changes > 0 ? -1 : 0; };
  AskingHost host(site().host(), blind);
  const engine::Outcome outcome =
      site().carry_out(site().prepare(spec(ours + ", " + fails)), &host);
  EXPECT_EQ(outcome.result, Result::failed);
  ASSERT_EQ(outcome.report.left_behind.size(), 1U);
  EXPECT_THAT(outcome.report.left_behind.front(), HasSubstr("could not be looked at"));
}

}  // namespace
}  // namespace plumbline::test
