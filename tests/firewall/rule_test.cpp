#include "plumbline/firewall/model/rule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/nft_expression_bytes.hpp"

namespace plumbline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;
using Rules = RuleList::Rules;

/// One rule for each letter.
Rules rules(const std::string& letters) {
  Rules rules;
  for (const char letter : letters) rules.emplace_back(std::string(1, letter));
  return rules;
}

std::string letters(const Rules& rules) {
  std::string letters;
  for (const FirewallRule& rule : rules) letters += rule.text();
  return letters;
}

Pairs kept(const std::string& have, const std::string& want) {
  return kept_rules(rules(have), rules(want));
}

std::string moved(const std::string& have, const std::string& want) {
  return letters(moved_rules(rules(have), rules(want)));
}

firewall::RuleCode code(wire::Bytes expressions, std::vector<std::string> sets = {},
                        wire::Bytes userdata = {}) {
  return {std::move(expressions), std::move(sets), std::move(userdata)};
}

/// As userdata has it, or the `comment` match.
wire::Bytes zero_ended(const std::string& text) {
  wire::Bytes bytes;
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  bytes.push_back(std::byte{0});
  return bytes;
}

wire::Bytes userdata_comment(const std::string& text) {
  const wire::Bytes value = zero_ended(text);
  return test::operator+({std::byte{0}, static_cast<std::byte>(value.size())}, value);
}

wire::Bytes comment_match(const std::string& text) {
  wire::Bytes value = zero_ended(text);
  value.resize(256);
  return test::extension("match", "comment", 0, value);
}

// ---- one rule -----------------------------------------------------------------------------------

TEST(FirewallRule, LeadsToWhatItsTextNames) {
  const FirewallRule rule = "-s 10.0.0.1/32 -m comment --comment \"-j X\" -g APP";
  EXPECT_THAT(rule.targets(), ElementsAre("APP"));
  EXPECT_TRUE(rule.leads_to("APP"));
  EXPECT_FALSE(rule.leads_to("X"));
  EXPECT_THAT(FirewallRule("-m comment --comment plumbline").targets(), IsEmpty());
  EXPECT_THAT(FirewallRule("-m comment --comment \"open -j APP").targets(), IsEmpty());
}

TEST(FirewallRule, LeadsToWhatItsCodeNamesWhateverItsTextSays) {
  const FirewallRule rule("-j OTHER", code(test::verdict(NFT_JUMP, "APP")));
  EXPECT_THAT(rule.targets(), ElementsAre("APP"));
  EXPECT_TRUE(FirewallRule("", code(test::verdict(NF_ACCEPT))).leads_to("ACCEPT"));
}

TEST(FirewallRule, CarriesTheMarkInACommentAlone) {
  for (const char* text : {"-m comment --comment plumbline", "-m comment --comment plumbline -j A",
                           "-j A -m comment --comment \"plumbline: my own\""}) {
    EXPECT_TRUE(FirewallRule(text).carries_mark()) << text;
  }
  for (const char* text :
       {"", "-j plumbline", "-m comment --comment plumbline2 -j A",
        "-m comment --comment plumbline:x -j A", "-m string --string plumbline --algo bm -j A"}) {
    EXPECT_FALSE(FirewallRule(text).carries_mark()) << text;
    EXPECT_FALSE(FirewallRule(text).is_mark()) << text;
  }
}

TEST(FirewallRule, IsTheMarkOnlyWithNothingElse) {
  EXPECT_TRUE(FirewallRule("-m comment --comment plumbline").is_mark());
  EXPECT_FALSE(FirewallRule("-m comment --comment plumbline -j A").is_mark());
  EXPECT_FALSE(FirewallRule("-s 10.0.0.1/32 -m comment --comment plumbline").is_mark());
  EXPECT_FALSE(FirewallRule("-m comment --comment \"plumbline: my own\"").is_mark());
}

TEST(FirewallRule, CodeCarriesTheMarkAsAMatchOrAsUserdata) {
  using test::operator+;
  const auto counter = test::counter(0, 0);
  for (const firewall::RuleCode& mark : {code(comment_match("plumbline") + counter),
                                         code(counter, {}, userdata_comment("plumbline"))}) {
    EXPECT_TRUE(FirewallRule("", mark).carries_mark());
    EXPECT_TRUE(FirewallRule("", mark).is_mark());
    firewall::RuleCode more = mark;
    more.expressions = more.expressions + test::verdict(NF_DROP);
    EXPECT_TRUE(FirewallRule("", more).carries_mark());
    EXPECT_FALSE(FirewallRule("", more).is_mark());
  }
  const FirewallRule own("", code(comment_match("plumbline: my own") + counter));
  EXPECT_TRUE(own.carries_mark());
  EXPECT_FALSE(own.is_mark());
  const FirewallRule other("-m comment --comment plumbline", code(comment_match("plumbline2")));
  EXPECT_FALSE(other.carries_mark());
  EXPECT_FALSE(other.is_mark());
}

TEST(FirewallRule, IsItsCodeOrElseItsText) {
  const auto accept = code(test::verdict(NF_ACCEPT));
  const auto drop = code(test::verdict(NF_DROP));
  const FirewallRule accepts("-j ACCEPT", accept);
  EXPECT_EQ(FirewallRule("-j A"), FirewallRule("-j A"));
  EXPECT_EQ(accepts, FirewallRule("", accept));
  for (const FirewallRule& other :
       {FirewallRule("-j ACCEPT"), FirewallRule("-j ACCEPT", drop),
        FirewallRule("-j ACCEPT", code(accept.expressions, {"set"})),
        FirewallRule("-j ACCEPT", code(accept.expressions, {}, userdata_comment("a")))}) {
    EXPECT_NE(accepts, other);
    EXPECT_NE(accepts <=> other, std::strong_ordering::equal);
    EXPECT_EQ(accepts<other, other> accepts);
    EXPECT_NE(accepts < other, other < accepts);
  }
  EXPECT_NE(FirewallRule("-j A"), FirewallRule("-j B"));
  EXPECT_LT(FirewallRule("-j A"), FirewallRule("-j B"));
}

// ---- lists --------------------------------------------------------------------------------------

TEST(RuleList, IsEqualByItsRulesInTheirOrder) {
  const RuleList list{"a", "b"};
  const RuleList copy = list;
  EXPECT_EQ(list, copy);
  EXPECT_EQ(&list.rules(), &copy.rules()) << "shared";
  EXPECT_EQ(list, (RuleList{"a", "b"}));
  for (const RuleList& other : {RuleList{"b", "a"}, RuleList{"a"}, RuleList{"a", "b", "b"},
                                RuleList{"a", "c"}, RuleList{"ab"}, RuleList{}}) {
    EXPECT_NE(list, other) << letters(other.rules());
  }
  EXPECT_EQ(RuleList{}, RuleList(Rules{}));
}

TEST(RuleList, OfCodeIsEqualWhateverItsTexts) {
  const auto accept = code(test::verdict(NF_ACCEPT));
  EXPECT_EQ(RuleList{FirewallRule("-j ACCEPT", accept)}, RuleList{FirewallRule("", accept)});
  EXPECT_NE(RuleList{FirewallRule("-j ACCEPT", accept)}, RuleList{"-j ACCEPT"});
}

TEST(RuleList, HoldsWhatItWasGiven) {
  const RuleList list{"a", "b", "c"};
  EXPECT_THAT(list, ElementsAre("a", "b", "c"));
  EXPECT_EQ(list.size(), 3U);
  EXPECT_FALSE(list.empty());
  EXPECT_EQ(list[1], "b");
  EXPECT_EQ(list.back(), "c");
  EXPECT_TRUE(RuleList{}.empty());
  EXPECT_EQ(RuleList{}.size(), 0U);
  EXPECT_EQ(RuleList{}.begin(), RuleList{}.end());
}

TEST(RuleList, IsFollowedByAnotherAndStaysItself) {
  const RuleList first{"a", "b"};
  const RuleList second{"b", "c"};
  EXPECT_THAT(first.followed_by(second), ElementsAre("a", "b", "b", "c"));
  EXPECT_THAT(first, ElementsAre("a", "b"));
  EXPECT_EQ(first.followed_by({}), first);
  EXPECT_EQ(RuleList{}.followed_by(second), second);
  EXPECT_EQ(first.followed_by(second).digest(), (RuleList{"a", "b", "b", "c"}.digest()));
}

TEST(RuleList, TheDigestIsThatOfItsTexts) {
  EXPECT_EQ(FirewallRule("a").digest(), 0xaf63dc4c8601ec8cU);  // FNV-1a of "a"
  EXPECT_EQ((RuleList{"a", "b"}.digest()), (RuleList{"a", "b"}.digest()));
  EXPECT_EQ(RuleList{FirewallRule("a", code(test::verdict(NF_DROP)))}.digest(),
            RuleList{"a"}.digest());
  EXPECT_EQ(RuleList{}.digest(), RuleList(Rules{}).digest());
  for (const RuleList& other : {RuleList{"b", "a"}, RuleList{"a"}, RuleList{"a", "b", ""},
                                RuleList{"ab"}, RuleList{""}, RuleList{}}) {
    EXPECT_NE((RuleList{"a", "b"}.digest()), other.digest()) << letters(other.rules());
  }
  EXPECT_NE(RuleList{""}.digest(), RuleList{}.digest());
}

// ---- what stays and what moves ------------------------------------------------------------------

TEST(KeptRules, AreAllOfAListThatStays) {
  EXPECT_THAT(kept("abc", "abc"), ElementsAre(Pair(0, 0), Pair(1, 1), Pair(2, 2)));
  EXPECT_EQ(moved("abc", "abc"), "");
}

TEST(KeptRules, AreAllBesideOneThatIsPutIn) {
  EXPECT_THAT(kept("abc", "abxc"), ElementsAre(Pair(0, 0), Pair(1, 1), Pair(2, 3)));
  EXPECT_THAT(kept("abc", "xabc"), ElementsAre(Pair(0, 1), Pair(1, 2), Pair(2, 3)));
  EXPECT_THAT(kept("abc", "abcx"), ElementsAre(Pair(0, 0), Pair(1, 1), Pair(2, 2)));
  EXPECT_EQ(moved("abc", "abxc"), "");
}

TEST(KeptRules, AreAllButOneThatIsTakenAway) {
  EXPECT_THAT(kept("abc", "ac"), ElementsAre(Pair(0, 0), Pair(2, 1)));
  EXPECT_THAT(kept("abc", "bc"), ElementsAre(Pair(1, 0), Pair(2, 1)));
  EXPECT_THAT(kept("abc", "ab"), ElementsAre(Pair(0, 0), Pair(1, 1)));
  EXPECT_EQ(moved("abc", "ac"), "");
}

TEST(KeptRules, AreAllButOneThatMoves) {
  EXPECT_THAT(kept("abcde", "acdbe"), ElementsAre(Pair(0, 0), Pair(2, 1), Pair(3, 2), Pair(4, 4)));
  EXPECT_EQ(moved("abcde", "acdbe"), "b");
  EXPECT_THAT(kept("abcd", "dabc"), ElementsAre(Pair(0, 1), Pair(1, 2), Pair(2, 3)));
  EXPECT_EQ(moved("abcd", "dabc"), "d");
  EXPECT_EQ(moved("abcd", "bcda"), "a");
}

TEST(KeptRules, AreOneWhereTheOrderIsReversed) {
  EXPECT_EQ(kept("abcd", "dcba").size(), 1U);
  EXPECT_EQ(moved("abcd", "dcba").size(), 3U);
}

TEST(KeptRules, OfEqualOnesStayAsManyAsAreInBoth) {
  EXPECT_THAT(kept("aa", "a"), ElementsAre(Pair(0, 0)));
  EXPECT_THAT(kept("a", "aa"), ElementsAre(Pair(0, 0)));
  EXPECT_THAT(kept("aba", "aab"), ElementsAre(Pair(0, 0), testing::_));
  EXPECT_EQ(moved("aa", "aaa"), "");
  EXPECT_EQ(moved("aaa", "a"), "");
  EXPECT_EQ(moved("abb", "bba"), "a");
  EXPECT_EQ(moved("abba", "bb"), "");
}

TEST(KeptRules, AreNoneOfListsThatHaveNothingInCommon) {
  EXPECT_THAT(kept("abc", "xyz"), IsEmpty());
  EXPECT_EQ(moved("abc", "xyz"), "");
  EXPECT_THAT(kept("", "abc"), IsEmpty());
  EXPECT_THAT(kept("abc", ""), IsEmpty());
  EXPECT_THAT(kept("", ""), IsEmpty());
  EXPECT_EQ(moved("", "abc") + moved("abc", "") + moved("", ""), "");
}

TEST(KeptRules, AreToldApartByTheirCode) {
  const FirewallRule accept("same", code(test::verdict(NF_ACCEPT)));
  const FirewallRule drop("same", code(test::verdict(NF_DROP)));
  EXPECT_THAT(kept_rules(Rules{accept, drop}, Rules{drop}), ElementsAre(Pair(1, 0)));
  EXPECT_THAT(kept_rules(Rules{accept}, Rules{"same"}), IsEmpty());
}

rc::Gen<std::string> any_letters() {
  return rc::gen::container<std::string>(rc::gen::inRange('a', 'h'));
}

/// No letter twice.
rc::Gen<std::string> different_letters() {
  return rc::gen::unique<std::string>(rc::gen::inRange('a', 'z'));
}

std::size_t longest_common(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (const char letter : a) {
    std::size_t diagonal = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
      const std::size_t above = row[i + 1];
      row[i + 1] = letter == b[i] ? diagonal + 1 : std::max(above, row[i]);
      diagonal = above;
    }
  }
  return row.back();
}

/// `have` without what is not kept, and then with what `want` has besides.
std::string carried_out(const std::string& have, const std::string& want, const Pairs& kept) {
  std::string result = have;
  for (std::size_t i = have.size(); i > 0; --i) {
    const auto stays = [&](const auto& pair) { return pair.first == i - 1; };
    if (std::ranges::none_of(kept, stays)) result.erase(i - 1, 1);
  }
  for (std::size_t i = 0; i < want.size(); ++i) {
    const auto stays = [&](const auto& pair) { return pair.second == i; };
    if (std::ranges::none_of(kept, stays)) result.insert(std::min(i, result.size()), 1, want[i]);
  }
  return result;
}

void check_kept(const std::string& have, const std::string& want) {
  const Pairs pairs = kept(have, want);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto [from, to] = pairs[i];
    RC_ASSERT(from < have.size() && to < want.size());
    RC_ASSERT(have[from] == want[to]);
    // Not `i == 0 || …` in the assertion, which evaluates all of its operands.
    const bool rises = i == 0 || (pairs[i - 1].first < from && pairs[i - 1].second < to);
    RC_ASSERT(rises);
  }
  RC_ASSERT(carried_out(have, want, pairs) == want);
}

RC_GTEST_PROP(KeptRulesProperty, RemovalsAndInsertionsGiveWhatIsWanted, ()) {
  check_kept(*any_letters(), *any_letters());
}

RC_GTEST_PROP(KeptRulesProperty, AreTheMostWhereNoRuleStandsTwice, ()) {
  const std::string have = *different_letters();
  const std::string want = *different_letters();
  check_kept(have, want);
  RC_ASSERT(kept(have, want).size() == longest_common(have, want));
}

RC_GTEST_PROP(KeptRulesProperty, WhatIsInBothIsKeptOrMoved, ()) {
  const std::string have = *any_letters();
  const std::string want = *any_letters();
  std::map<char, std::ptrdiff_t> found;
  for (const auto& [from, to] : kept(have, want)) ++found[have[from]];
  for (const char letter : moved(have, want)) ++found[letter];
  std::map<char, std::ptrdiff_t> expected;
  for (const char letter : have) {
    expected[letter] = std::min(std::ranges::count(have, letter), std::ranges::count(want, letter));
  }
  std::erase_if(expected, [](const auto& entry) { return entry.second == 0; });
  RC_ASSERT(found == expected);
}

}  // namespace
}  // namespace plumbline
