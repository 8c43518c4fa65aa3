// The programs of ebtables in namespaces of a test's own: what goes in comes out, whatever backend
// iptables has.

#include <gmock/gmock.h>
#include <linux/netlink.h>

#include "plumbline/firewall/text/iptables.hpp"
#include "plumbline/io/iptables.hpp"
#include "src/io/nft_tables.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::io {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Ebtables : public test::NetnsTest, public ::testing::WithParamInterface<Backend> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    if (test::run({"ebtables-nft", "-V"}).status != 0) GTEST_SKIP() << "ebtables is not installed";
  }

  Iptables programs_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Backends, Ebtables, ::testing::Values(Backend::nft, Backend::legacy),
                         [](const auto& about) { return std::string(format(about.param)); });

constexpr const char* rules = R"(*filter
:FORWARD DROP
:APP RETURN
-A APP -p IPv4 --ip-src 10.0.0.0/8 -j ACCEPT
-A APP --log --log-prefix "said: x" -j CONTINUE
-A FORWARD -j APP
COMMIT
*nat
:PREROUTING ACCEPT
-A PREROUTING -s 02:00:00:00:00:01 -j DROP
COMMIT
)";

TEST_P(Ebtables, SaysWhatItWasGiven) {
  EXPECT_THAT(programs_.dump(Family::bridge).text, IsEmpty());
  ASSERT_EQ(programs_.restore(Family::bridge, rules).error, 0);
  const wire::Reply reply = programs_.dump(Family::bridge);
  EXPECT_THAT(reply.message, IsEmpty());
  const auto chains = firewall::read_save(reply.text).chains;
  ASSERT_EQ(chains.size(), 7U) << reply.text;
  EXPECT_EQ(chains[3].table, "filter");
  EXPECT_EQ(chains[4].table, "nat");
  EXPECT_EQ(chains[1].policy, "DROP");
  EXPECT_EQ(chains[3].name, "APP");
  EXPECT_EQ(chains[3].policy, std::nullopt);
  EXPECT_THAT(chains[3].rules,
              ElementsAre("-p IPv4 --ip-src 10.0.0.0/8 -j ACCEPT",
                          "--log-level notice --log-prefix \"said: x\" -j CONTINUE"));
}

TEST_P(Ebtables, WhatIsRefusedIsSaidAndChangesNothing) {
  ASSERT_EQ(programs_.restore(Family::bridge, rules).error, 0);
  const std::string before = test::must_run({"nft", "list", "ruleset"});
  for (const auto& [rule, why] :
       {std::pair{"-A APP -p bogus", "bogus"}, std::pair{"-A APP --ip-src 10.0.0.1", "line 2"},
        std::pair{"-A APP -j NOWHERE", "'NOWHERE' does not exist"}}) {
    const wire::Reply reply =
        programs_.restore(Family::bridge, std::string("*filter\n") + rule + "\nCOMMIT\n");
    EXPECT_EQ(reply.error, EINVAL) << rule;
    EXPECT_THAT(reply.message, HasSubstr(why)) << rule;
  }
  EXPECT_EQ(test::must_run({"nft", "list", "ruleset"}), before);
}

TEST_P(Ebtables, AnEmptyTableCanBeDroppedAndAScratchNamespaceWiped) {
  ASSERT_EQ(programs_.restore(Family::bridge, "*filter\n:INPUT ACCEPT\nCOMMIT\n").error, 0);
  EXPECT_THAT(test::must_run({"nft", "list", "ruleset"}), HasSubstr("table bridge filter"));
  NetlinkSocket nfnetlink(NETLINK_NETFILTER);
  EXPECT_EQ(drop_empty_table(nfnetlink, Family::bridge, "filter").error, 0);
  EXPECT_THAT(test::must_run({"nft", "list", "ruleset"}), IsEmpty());
  ASSERT_EQ(programs_.restore(Family::bridge, rules).error, 0);
  programs_.wipe();
  EXPECT_THAT(test::must_run({"nft", "list", "ruleset"}), IsEmpty());
}

TEST(SavedTextOfEbtables, ThatBreaksOffIsNoEmptyFirewall) {
  const std::string whole = "*filter\n:INPUT ACCEPT\n-A INPUT -j DROP\n";
  EXPECT_THROW(static_cast<void>(firewall::read_save(whole)), wire::Malformed);
  const std::string ended = whole + "# Completed on Tue Nov 24 00:34:21 2026\n";
  EXPECT_EQ(firewall::read_save(ended).chains.size(), 1U);
}

}  // namespace

}  // namespace plumbline::io
