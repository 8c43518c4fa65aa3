// Rules in a table that is dormant, or in a built-in chain at another hook: told, and set right
// where they are ours.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "plumbline/doctor/doctor.hpp"
#include "tests/support/site.hpp"
#include "tests/support/tables.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* matches = "The host matches the spec.";

class InForce : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    const std::string why = why_no_iptables(io::Backend::nft);
    if (!why.empty()) GTEST_SKIP() << why;
    if (run({"nft", "--version"}).status != 0) GTEST_SKIP() << "nft is not installed";
    site_.emplace();  // its sockets are of the namespace that it is made in
  }
  void TearDown() override {
    site_.reset();
    NetnsTest::TearDown();
  }

  static std::string spec(const std::string& section = "iptables") {
    const std::string rule =
        section == "ebtables" ? "-s 52:54:00:00:00:07 -j DROP" : "-p udp -j DROP";
    return R"({ "version": 1, ")" + section + R"(": { "filter": { "shared": {
        "FORWARD": { "policy": "DROP", "insert": [ ")" +
           rule + R"(" ] } } } } })";
  }

  /// Carries it out, and what was said then.
  std::string carried_out(const std::string& text) {
    const engine::Prepared prepared = site_->prepare(text);
    EXPECT_TRUE(prepared.plan.refusals.empty()) << shown(prepared);
    const engine::Outcome outcome = site_->carry_out(prepared);
    std::string said;
    for (const engine::StepReport& step : outcome.report.steps) said += step.message;
    EXPECT_EQ(outcome.result, engine::Result::applied) << shown(prepared) << said;
    said.clear();
    for (const Diagnostic& each : outcome.not_in_force) said += format(each) + "\n";
    return said;
  }
  static std::string found_by_doctor() {
    std::string text;
    for (const doctor::Finding& finding : doctor::examine({io::Backend::nft, "/"})) {
      text += std::string(finding.code) + " " + finding.message + "\n";
    }
    return text;
  }
  static std::string forward(const std::string& family = "ip") {
    return must_run({"nft", "list chain " + family + " filter FORWARD"});
  }

  std::optional<Site> site_;
};

TEST_F(InForce, ADormantTableOfSomebodyIsToldAndTheRulesAreThere) {
  for (const auto& [family, section] : std::vector<std::pair<std::string, std::string>>{
           {"ip", "iptables"}, {"ip6", "ip6tables"}, {"bridge", "ebtables"}}) {
    must_run({"nft", "add table " + family + " filter { flags dormant; }"});
    const std::string said = carried_out(spec(section));
    EXPECT_THAT(said, HasSubstr("NOT_IN_FORCE: table " + family + " filter is dormant"));
    EXPECT_THAT(said, HasSubstr("spec.json:2:")) << "the place of the spec";
    EXPECT_THAT(forward(family), HasSubstr("drop"));
    EXPECT_THAT(shown(site_->prepare(spec(section))), Not(HasSubstr(matches)));
    EXPECT_THAT(found_by_doctor(), HasSubstr("DORMANT_TABLE table " + family + " filter"));
    must_run({"nft", "add table " + family + " filter"});  // as the message says
    EXPECT_EQ(must_run({"nft", "list table " + family + " filter"}).find("dormant"),
              std::string::npos);
    EXPECT_THAT(shown(site_->prepare(spec(section))), HasSubstr(matches));
    must_run({"nft", "delete table " + family + " filter"});
  }
}

TEST_F(InForce, ADormantTableOfOursIsWokenAndItsRulesStay) {
  site_->apply(spec());
  const std::string before = forward();
  must_run({"nft", "add table ip filter { flags dormant; }"});
  const engine::Prepared prepared = site_->prepare(spec());
  EXPECT_FALSE(prepared.idle());
  EXPECT_THAT(shown(prepared), HasSubstr("apply wakes it"));
  EXPECT_THAT(shown(prepared), Not(HasSubstr(matches)));
  EXPECT_EQ(site_->carry_out(prepared).result, engine::Result::applied);
  EXPECT_THAT(must_run({"nft", "list table ip filter"}), Not(HasSubstr("dormant")));
  EXPECT_EQ(forward(), before);
  EXPECT_THAT(shown(site_->prepare(spec())), HasSubstr(matches));
}

/// What a built-in chain may be made as.
const std::vector<std::string> elsewhere{"", "{ type filter hook output priority 0; }",
                                         "{ type filter hook forward priority 10; }",
                                         "{ type nat hook postrouting priority 100; }"};

TEST_F(InForce, ABuiltInChainOfSomebodyAtAnotherPlaceIsToldAndTheRestIsDone) {
  for (const std::string& place : elsewhere) {
    must_run({"nft", "add table ip filter"});
    must_run({"nft", "add chain ip filter FORWARD " + place});
    must_run({"nft", "add rule ip filter FORWARD ip saddr 192.0.2.1 accept"});
    const std::string wanted = R"({ "version": 1,
        "routes": [ { "to": "10.9.0.0/16", "type": "blackhole" } ],
        "iptables": { "filter": { "shared": { "FORWARD": { "insert": [ "-p udp -j DROP" ] } } } } })";
    const std::string said = carried_out(wanted);
    EXPECT_THAT(said, HasSubstr("NOT_IN_FORCE: chain ip filter FORWARD is at ")) << place;
    EXPECT_THAT(said, HasSubstr("not at filter hook forward priority 0")) << place;
    EXPECT_THAT(ip("route show"), HasSubstr("blackhole 10.9.0.0/16"));
    EXPECT_THAT(shown(site_->prepare(wanted)), Not(HasSubstr(matches))) << place;
    EXPECT_THAT(found_by_doctor(), HasSubstr("MISPLACED_CHAIN")) << place;
    EXPECT_THAT(forward(), HasSubstr("192.0.2.1"));
    must_run({"nft", "delete table ip filter"});
    ip("route del blackhole 10.9.0.0/16");
  }
}

TEST_F(InForce, ABuiltInChainOfOursIsPutBackToItsPlaceWithItsRules) {
  for (const std::string& place : elsewhere) {
    const bool takes_policy = place.find("filter") != std::string::npos;
    const std::string wanted = takes_policy ? spec() : R"({ "version": 1, "iptables": { "filter":
        { "shared": { "FORWARD": { "insert": [ "-p udp -j DROP" ] } } } } })";
    site_->apply(wanted);
    const std::string before = forward();
    must_run({"nft", "delete chain ip filter FORWARD"});
    must_run({"nft", "add chain ip filter FORWARD " + place});
    EXPECT_THAT(shown(site_->prepare(wanted)), HasSubstr("apply puts it there")) << place;
    EXPECT_EQ(carried_out(wanted), "") << place;
    EXPECT_EQ(forward(), before) << place;
    EXPECT_THAT(shown(site_->prepare(wanted)), HasSubstr(matches)) << place;
  }
}

TEST_F(InForce, AChainOfOursThatSomebodyUsesToIsToldAndStays) {
  site_->apply(spec());
  must_run({"nft", "delete chain ip filter FORWARD"});
  must_run({"nft", "add chain ip filter FORWARD { type filter hook output priority 0; }"});
  must_run({"nft", "add rule ip filter FORWARD ip saddr 192.0.2.1 accept"});
  EXPECT_THAT(carried_out(spec()), HasSubstr("NOT_IN_FORCE"));
  EXPECT_THAT(forward(), HasSubstr("192.0.2.1"));
  EXPECT_THAT(forward(), HasSubstr("udp"));
}

}  // namespace
}  // namespace plumbline::test
