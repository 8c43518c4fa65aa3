// Policy rules on the real kernel, in network namespaces of the tests' own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plumbline/kinds/rule.hpp"
#include "tests/kinds/on_kernel.hpp"
#include "tests/support/netns.hpp"

namespace plumbline {
namespace {

using test::ip;
using test::OnKernel;
using test::wanted;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RuleOnKernel : public test::NetnsTest {};

std::string rules_by_ip() { return ip("rule show") + ip("-6 rule show"); }

const std::vector<std::string>& some_rules() {
  static const std::vector<std::string> rules{
      R"({"priority": 1000, "table": 100})",
      R"({"priority": 1000, "table": 4294967295, "family": "inet6"})",
      R"({"priority": 0, "from": "172.30.0.0/24", "table": 51820})",
      R"({"priority": 4294967295, "from": "fd00::/8", "to": "2001:db8::1", "table": 5})",
      R"({"priority": 1001, "not": true, "fwmark": "0xca6c", "table": 51820})",
      R"({"priority": 1001, "fwmark": "0xca00/0xff00", "table": 51820})",
      R"({"priority": 1001, "fwmark": 0, "table": 51820})",
      R"({"priority": 1002, "table": "main", "suppressPrefixLength": 0})",
      R"({"priority": 1002, "table": "main", "suppressPrefixLength": 128, "family": "inet6"})",
      R"({"priority": 1003, "to": "10.0.0.0/8", "iif": "br-lan", "ipProtocol": "tcp",
          "destinationPorts": "80-90", "action": "unreachable"})",
      R"({"priority": 1004, "oif": "absent", "sourcePorts": "1-65534", "ipProtocol": 255, "action": "prohibit"})",
      R"({"priority": 1005, "uidRange": "0-4294967294", "action": "blackhole"})",
      R"({"priority": 1006, "tos": "0x1c", "action": "nop"})",
      R"({"priority": 1006, "tos": "0xfc", "action": "nop", "family": "inet6"})",
      R"({"priority": 1007, "goto": 1008})",
      R"({"priority": 1007, "goto": 32766, "family": "inet6", "from": "fd00::1"})",
      R"({"priority": 32766, "table": "main"})",
  };
  return rules;
}

TEST_F(RuleOnKernel, EveryRuleIsMadeSeenAsWantedAndRemoved) {
  OnKernel kernel;
  const std::string before = rules_by_ip();
  for (const std::string& text : some_rules()) {
    const Rule want = wanted<Rule>(text);
    ASSERT_EQ(kernel.send(create(want, kernel.links())), "") << text;
    EXPECT_THAT(kernel.ours<Rule>(), ElementsAre(want)) << text << '\n' << rules_by_ip();
    EXPECT_EQ(kernel.send(remove(want, kernel.links())), "") << text;
    EXPECT_EQ(rules_by_ip(), before) << text;
  }
}

TEST_F(RuleOnKernel, AllRulesTogetherAreAsManyAndGoAgain) {
  OnKernel kernel;
  const std::string before = rules_by_ip();
  std::vector<Rule> all;
  for (const std::string& text : some_rules()) all.push_back(wanted<Rule>(text));
  std::ranges::sort(all);
  for (const Rule& want : all) ASSERT_EQ(kernel.send(create(want, kernel.links())), "");
  auto made = kernel.ours<Rule>();
  std::ranges::sort(made);
  EXPECT_EQ(made, all);
  // What says more goes first: see removal_may_hit().
  std::ranges::reverse(made);
  for (const Rule& have : made) EXPECT_EQ(kernel.send(remove(have, kernel.links())), "");
  EXPECT_EQ(rules_by_ip(), before);
}

TEST_F(RuleOnKernel, RemovingHitsNoRuleOfAnotherProtocol) {
  OnKernel kernel;
  ip("rule add priority 1000 table 100");
  ip("rule add priority 1000 table 100 protocol 113");
  ip("rule add priority 1000 from 10.0.0.0/8 table 100");
  const std::string before = rules_by_ip();
  const Rule ours = wanted<Rule>(R"({"priority": 1000, "table": 100})");
  EXPECT_NE(kernel.send(remove(ours, kernel.links())), "");
  EXPECT_EQ(rules_by_ip(), before);
  ASSERT_EQ(kernel.send(create(ours, kernel.links())), "");
  EXPECT_EQ(kernel.ours<Rule>().size(), 1U);
  EXPECT_EQ(kernel.send(remove(ours, kernel.links())), "");
  EXPECT_EQ(rules_by_ip(), before);
}

TEST_F(RuleOnKernel, TheKernelDeletesWhatPassesFirst) {
  const Rule some = wanted<Rule>(R"({"priority": 1, "table": 5, "from": "10.0.0.0/8"})");
  const Rule inverse =
      wanted<Rule>(R"({"priority": 1, "table": 5, "from": "10.0.0.0/8", "not": true})");
  const Rule all = wanted<Rule>(R"({"priority": 1, "table": 5})");
  const Rule other = wanted<Rule>(R"({"priority": 1, "table": 6})");
  const Rule jump = wanted<Rule>(R"({"priority": 1, "goto": 9})");
  const Rule farther = wanted<Rule>(R"({"priority": 1, "goto": 10})");
  for (const Rule& first : {some, inverse, all, other, jump, farther}) {
    for (const Rule& second : {some, inverse, all, other, jump, farther}) {
      if (first == second) continue;
      OnKernel kernel;
      ASSERT_EQ(kernel.send(create(first, kernel.links())), "");
      ASSERT_EQ(kernel.send(create(second, kernel.links())), "");
      ASSERT_EQ(kernel.send(remove(second, kernel.links())), "");
      const Rule& left = removal_may_hit(second, first) ? second : first;
      EXPECT_THAT(kernel.ours<Rule>(), ElementsAre(left))
          << format(key(first)) << " / " << format(key(second));
      ASSERT_EQ(kernel.send(remove(left, kernel.links())), "");
    }
  }
}

TEST_F(RuleOnKernel, ARuleThatStaysIsAddedAgainBehindTheOneThatGoes) {
  OnKernel kernel;
  const Rule stays = wanted<Rule>(R"({"priority": 1, "table": 5, "from": "10.0.0.0/8"})");
  const Rule goes = wanted<Rule>(R"({"priority": 1, "table": 5})");
  for (const Rule& rule : {stays, goes, stays}) {
    ASSERT_EQ(kernel.send(create(rule, kernel.links())), "");
  }
  EXPECT_EQ(kernel.send(remove(goes, kernel.links())), "");
  EXPECT_EQ(kernel.send(remove(goes, kernel.links())), "");
  EXPECT_THAT(kernel.ours<Rule>(), ElementsAre(stays));
}

TEST_F(RuleOnKernel, ChangesByHandAreAnotherRule) {
  OnKernel kernel;
  const Rule want =
      wanted<Rule>(R"({"priority": 1000, "from": "10.0.0.0/8", "table": 100, "iif": "lo"})");
  for (const std::string by_hand :
       {"from 10.0.0.0/9 iif lo table 100", "from 10.0.0.0/8 iif lo table 101",
        "from 10.0.0.0/8 table 100", "not from 10.0.0.0/8 iif lo table 100",
        "from 10.0.0.0/8 iif lo table 100 suppress_ifgroup 5",
        "from 10.0.0.0/8 iif lo table 100 tun_id 5", "from 10.0.0.0/8 iif lo realms 1/2 table 100",
        "from 10.0.0.0/8 iif lo l3mdev", "from 10.0.0.0/8 iif lo table 100 dport 80"}) {
    ip("rule add priority 1000 protocol 112 " + by_hand);
    const auto seen = kernel.ours<Rule>();
    ASSERT_EQ(seen.size(), 1U) << by_hand;
    EXPECT_NE(key(seen.front()), key(want)) << by_hand;
    EXPECT_EQ(kernel.send(remove(seen.front(), kernel.links())), "") << by_hand;
    EXPECT_THAT(kernel.ours<Rule>(), IsEmpty());
  }
}

TEST_F(RuleOnKernel, RulesThatSayMoreThanAValueHoldsAreMarkedSo) {
  OnKernel kernel;
  for (const std::string more :
       {"l3mdev", "table 5 suppress_ifgroup 5", "table 5 tun_id 5", "table 5 realms 1/2"}) {
    ip("rule add priority 1000 protocol 112 " + more);
    const auto seen = kernel.ours<Rule>();
    ASSERT_EQ(seen.size(), 1U) << more;
    EXPECT_TRUE(seen.front().has_more) << more;
    EXPECT_EQ(kernel.send(remove(seen.front(), kernel.links())), "") << more;
  }
}

TEST_F(RuleOnKernel, TheKernelsOwnRulesAreSeenAndNotOurs) {
  OnKernel kernel;
  std::vector<std::string> seen;
  for (const Rule& rule : kernel.observe<Rule>()) {
    EXPECT_FALSE(is_marked(rule, Mark{}));
    EXPECT_FALSE(rule.has_more);
    seen.push_back(format(key(rule)));
  }
  EXPECT_THAT(seen, ElementsAre("rule inet 0 table local", "rule inet 32766 table main",
                                "rule inet 32767 table default", "rule inet6 0 table local",
                                "rule inet6 32766 table main"));
}

}  // namespace
}  // namespace plumbline
