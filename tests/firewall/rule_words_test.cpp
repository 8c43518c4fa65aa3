// What a rule carries of its words is what its text says.

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "plumbline/firewall/model/chain.hpp"
#include "tests/support/spec_text.hpp"

namespace plumbline {
namespace {

using ::testing::ElementsAre;

rc::Gen<firewall::Words> some_words() {
  const auto option = rc::gen::elementOf(firewall::Words{
      "-j", "--comment", "-m", "--mark", "!", "0x706c6d62/0x0", "plumbline", "plumbline: x", "DROP",
      "--match-set", "banned", "-s", "10.0.0.1", "-i", "--log-prefix", ""});
  const auto any = rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab\"\\ \t-")));
  return rc::gen::container<firewall::Words>(rc::gen::oneOf(option, any));
}

/// What a rule carries is what anybody would find who split its text again.
void expect_same_as_split(const FirewallRule& rule) {
  const auto words = firewall::split_words(rule.text());
  RC_ASSERT(words);
  RC_ASSERT(words_of(rule) == words);
  const firewall::Options options = firewall::options_of(*words);
  RC_ASSERT(rule.targets() == firewall::jumps_of(options));
  RC_ASSERT(rule.rules_made() == firewall::rules_made_of(options));
}

RC_GTEST_PROP(RuleWords, AreWhatSplittingItsTextGives, ()) {
  const firewall::Words words = *some_words();
  const FirewallRule made(words);
  RC_ASSERT(words_of(made) == words);
  expect_same_as_split(made);
  expect_same_as_split(FirewallRule(firewall::quote_words(words)));
  RC_ASSERT(FirewallRule(made.text()) == made);
  for (const Family family : {Family::inet, Family::bridge}) {
    SharedChain chain;
    chain.family = family;
    chain.name = "FORWARD";
    chain.insert = {made};
    for (const FirewallRule& rule : with_mark(chain, {}).insert) expect_same_as_split(rule);
  }
}

RC_GTEST_PROP(RuleWords, OfASpecAreThoseOfItsText, ()) {
  const auto part = rc::gen::elementOf(firewall::Words{
      "-s10.0.0.1", "-p tcp", "--protocol=udp", "-m comment --comment \\\"a b\\\"", "-i eth0", ""});
  std::string match;
  for (const std::string& word : *rc::gen::resize(4, rc::gen::container<firewall::Words>(part))) {
    match += word + " ";
  }
  test::SpecText spec(R"({ "rules": [ { "match": ")" + match + R"(", "target": "LOG" }, ")" +
                      match + R"(-jAPP" ] })");
  const RuleList rules = RuleList::from_spec(spec.entry(), "rules", Family::inet);
  RC_ASSERT(rules.size() == 2);
  for (const FirewallRule& rule : rules) expect_same_as_split(rule);
}

TEST(RuleWords, AreThoseOfTheTextOfARuleWithCodeAndNoneOfAnOpenQuote) {
  const FirewallRule coded("-m comment --comment \"a b\" -j DROP", firewall::RuleCode{});
  EXPECT_THAT(words_of(coded).value(),
              ElementsAre("-m", "comment", "--comment", "a b", "-j", "DROP"));
  const FirewallRule open("--comment \"a");
  EXPECT_FALSE(words_of(open));
}

TEST(RestoreRule, QuotesEveryWordOfASavedRule) {
  EXPECT_EQ(restore_rule("-m comment --comment \"a \\\"b\" -j DROP"),
            R"("-m" "comment" "--comment" "a \"b" "-j" "DROP")");
  EXPECT_EQ(restore_rule(""), "");
}

TEST(RestoreRule, ARuleWithALineBreakIsWrittenSoThatItIsRefused) {
  for (const std::string_view rule :
       {std::string_view("--comment \"a\n-A INPUT\" -j DROP"),
        std::string_view("--comment \"open -j DROP"), std::string_view("-j DROP\0x", 9)}) {
    EXPECT_EQ(restore_rule(rule), "--this-rule-has-a-line-break-and-cannot-be-written");
  }
}

}  // namespace
}  // namespace plumbline
