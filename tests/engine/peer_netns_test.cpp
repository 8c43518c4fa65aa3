// A veth pair into another network namespace, from spec to kernel: there at creation, and then left
// alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "tests/support/dump.hpp"
#include "tests/support/elsewhere.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;

std::string pair_into(const std::string& netns, const char* mtu = "1400") {
  return R"({"version": 1, "links": {"br0": {"kind": "bridge"},
      "w0": {"kind": "veth", "master": "br0", "mtu": )" +
         std::string(mtu) + R"(, "veth": {"peer": "eth0", "peerNetns": ")" + netns + R"("}}}})";
}

class PeerNetns : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (!IsSkipped()) bring_up_loopback();
  }
};

TEST_F(PeerNetns, IsWhereThePeerIsMadeAndNotComparedLater) {
  const Elsewhere guest;
  const Elsewhere another;
  Site site;
  const std::string before = dump_namespace();
  site.apply(pair_into(guest.path()));
  EXPECT_EQ(guest.ip("link set eth0 up"), "");
  EXPECT_THAT(guest.ip("link show eth0"), HasSubstr(",UP"));
  EXPECT_EQ(guest.ip("link set eth0 name moved netns " + std::to_string(another.pid())), "");
  const std::string quiet = "No changes. The host matches the spec.\n";
  EXPECT_EQ(shown(site.prepare(pair_into(guest.path()))), quiet);
  EXPECT_EQ(shown(site.prepare(pair_into("there-is-no-such-namespace"))), quiet);
  site.apply(pair_into(guest.path(), "1300"));
  EXPECT_THAT(another.ip("link show moved"), HasSubstr("moved"));
  ip("link delete w0");
  site.apply(pair_into(guest.path()));
  EXPECT_THAT(guest.ip("link show eth0"), HasSubstr("eth0"));
  site.options.allow_empty = true;
  site.apply(R"({"version": 1})");
  EXPECT_EQ(difference(before, dump_namespace()), "");
}

TEST_F(PeerNetns, TakesAPeerThatIsHereElsewhere) {
  const Elsewhere guest;
  Site site;
  site.apply(R"({"version": 1, "links": {"w0": {"kind": "veth", "veth": {"peer": "eth0"}}}})");
  site.apply(pair_into(guest.path()));
  EXPECT_THAT(guest.ip("link show eth0"), HasSubstr("eth0"));
  EXPECT_EQ(run({"ip", "link", "show", "eth0"}).status, 1);
}

TEST_F(PeerNetns, ThatIsMissingIsAFailedStepThatSaysSo) {
  Site site;
  const std::string before = dump_namespace();
  const engine::Outcome outcome =
      site.carry_out(site.prepare(pair_into("there-is-no-such-namespace")));
  EXPECT_EQ(outcome.result, engine::Result::rolled_back);
  const auto failed = std::ranges::find(outcome.report.steps, engine::StepResult::failed,
                                        &engine::StepReport::result);
  ASSERT_NE(failed, outcome.report.steps.end());
  EXPECT_EQ(failed->error, ENOENT);
  EXPECT_THAT(failed->message,
              HasSubstr("there is no network namespace 'there-is-no-such-namespace'"));
  EXPECT_EQ(difference(before, dump_namespace()), "");
}

}  // namespace
}  // namespace plumbline::test
