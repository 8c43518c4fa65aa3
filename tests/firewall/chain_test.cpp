#include "plumbline/firewall/model/chain.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "tests/support/nft_expression_bytes.hpp"
#include "tests/support/spec_text.hpp"

namespace plumbline {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <class K>
std::vector<K> decoded(const std::string& saved, Family family = Family::inet) {
  std::tuple<std::vector<Chain>, std::vector<SharedChain>> values;
  for (firewall::SavedChain& chain : firewall::read_save(saved).chains) {
    sort_out(have_chain(family, std::move(chain)), std::get<0>(values), std::get<1>(values));
  }
  return std::get<std::vector<K>>(values);
}

std::string text_of(const std::vector<wire::Request>& requests) {
  std::string text;
  for (const wire::Request& request : requests) {
    text += std::get<wire::FirewallRestore>(request).text;
  }
  return text;
}

const std::string mark = "-m comment --comment plumbline";
const std::string written_mark = R"("-m" "comment" "--comment" "plumbline")";

Chain foreign(RuleList rules) { return {Family::inet, "filter", "APP", std::move(rules), false}; }

Chain chain_with(RuleList rules) { return with_mark(foreign(std::move(rules)), {}); }

SharedChain forward(RuleList insert, RuleList append = {}) {
  SharedChain chain;
  chain.table = "filter";
  chain.name = "FORWARD";
  chain.insert = std::move(insert);
  chain.append = std::move(append);
  chain.only_ours = false;
  return chain;
}

/// A rule that nf_tables holds. `sets` are ipsets it names.
FirewallRule coded(std::uint32_t number, std::vector<std::string> sets = {}) {
  return {"rule " + std::to_string(number),
          firewall::RuleCode{test::load_meta(number), std::move(sets), {}}};
}

/// A rule of ours as saved.
std::string ours(const std::string& source) {
  return "-s " + source + "/32 -m comment --comment plumbline -j DROP";
}

/// How restore input writes it.
std::string written(const std::string& source) {
  return R"("-s" ")" + source + R"(/32" "-m" "comment" "--comment" "plumbline" "-j" "DROP")";
}

const std::string saved =
    "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:APP - [0:0]\n:DOCKER-USER - [0:0]\n"
    "-A FORWARD -j APP -m comment --comment plumbline\n"
    "-A FORWARD -m comment --comment \"plumbline: two\" -j APP\n"
    "-A FORWARD -m comment --comment plumbline2 -j DROP\n"
    "-A FORWARD -m comment --comment plumbline -j LOG\n"
    "-A FORWARD -j DOCKER-USER\n"
    "-A FORWARD -m comment --comment plumbline -j RETURN\n"
    "-A APP -s 10.0.0.1/32 -j DROP\n-A APP -m comment --comment plumbline\n"
    "-A DOCKER-USER -j RETURN\nCOMMIT\n";

// ---- chains of ours -----------------------------------------------------------------------------

TEST(Chain, EveryUserDefinedChainIsDecodedAndOursAreMarked) {
  const auto chains = decoded<Chain>(saved, Family::inet6);
  ASSERT_EQ(chains.size(), 2U);
  EXPECT_EQ(chains[0],
            (Chain{Family::inet6, "filter", "APP", {"-s 10.0.0.1/32 -j DROP", mark}, true}));
  EXPECT_EQ(chains[1], (Chain{Family::inet6, "filter", "DOCKER-USER", {"-j RETURN"}, false}));
  EXPECT_EQ(format(key(chains[0])), "chain inet6 filter APP");
}

TEST(Chain, IsOursWhereverItsMarkStands) {
  const auto chains = decoded<Chain>(
      "*filter\n:A - [0:0]\n:B - [0:0]\n:C - [0:0]\n:D - [0:0]\n"
      "-A A -m comment --comment plumbline\n-A A -j DROP\n"
      "-A B -m comment --comment plumbline -j DROP\n"
      "-A C -m comment --comment \"plumbline: c\"\n-A D -m comment --comment plumbline2\nCOMMIT\n");
  ASSERT_EQ(chains.size(), 4U);
  EXPECT_TRUE(chains[0].marked);
  EXPECT_THAT(chains[0].rules, ElementsAre(mark, "-j DROP"));
  for (std::size_t i = 1; i < 4; ++i) EXPECT_FALSE(chains[i].marked) << chains[i].name;
}

TEST(Chain, IsOursWithoutItsMarkWhereNfTablesKeepsOne) {
  std::vector<Chain> chains;
  std::vector<SharedChain> shared;
  sort_out({Family::inet, "filter", "APP", {}, true, {"-j DROP"}}, chains, shared);
  sort_out({Family::inet, "filter", "MORE", {}, false, {"-j DROP"}}, chains, shared);
  sort_out({Family::inet, "filter", "INPUT", "DROP", false, {mark}}, chains, shared);
  ASSERT_EQ(chains.size(), 2U);
  EXPECT_TRUE(chains[0].marked);
  EXPECT_FALSE(chains[1].marked);
  ASSERT_EQ(shared.size(), 2U);
  EXPECT_EQ(shared[0].name, "MORE");
  EXPECT_EQ(shared[1].name, "INPUT");
}

TEST(Chain, GetsItsMarkOnceAndLast) {
  EXPECT_THAT(chain_with({}).rules, ElementsAre(mark));
  EXPECT_THAT(chain_with({"-j DROP"}).rules, ElementsAre("-j DROP", mark));
  EXPECT_THAT(chain_with({mark, "-j DROP"}).rules, ElementsAre(mark, "-j DROP", mark));
  const Chain ours = chain_with({"-j DROP"});
  EXPECT_TRUE(ours.marked);
  EXPECT_EQ(with_mark(ours, {}), ours);
}

TEST(Chain, IsWrittenWholeWithItsMarkLast) {
  EXPECT_EQ(text_of(create(chain_with({"-s 10.0.0.1/32 -j DROP", ""}), {})),
            "*filter\n:APP - [0:0]\n-A APP \"-s\" \"10.0.0.1/32\" \"-j\" \"DROP\"\n-A APP \n"
            "-A APP " +
                written_mark + "\nCOMMIT\n");
  EXPECT_EQ(text_of(update(chain_with({"-j DROP"}), chain_with({}), {})),
            "*filter\n:APP - [0:0]\n-A APP " + written_mark + "\nCOMMIT\n");
  EXPECT_EQ(text_of(create(foreign({}), {})), "*filter\n:APP - [0:0]\nCOMMIT\n");
}

TEST(Chain, IsEmptiedBeforeItIsDeleted) {
  EXPECT_EQ(text_of(remove(chain_with({}), {})), "*filter\n-F APP\n-X APP\nCOMMIT\n");
}

TEST(Chain, AnyDifferenceIsAnUpdateThatCostsTheCounters) {
  const Chain have = chain_with({"-j DROP"});
  EXPECT_EQ(transition(have, have), Transition{});
  for (const Chain& want : {chain_with({"-j ACCEPT"}), chain_with({}), foreign({"-j DROP"})}) {
    EXPECT_EQ(transition(have, want), (Transition{Change::update, Disruption::counters}));
  }
}

TEST(Chain, OfNfTablesLosesOnlyTheCountersOfRulesThatMove) {
  const Chain have = foreign({coded(1), coded(2), coded(3)});
  EXPECT_EQ(transition(have, have), Transition{});
  for (const RuleList& rules :
       {RuleList{coded(1), coded(3)}, RuleList{coded(1), coded(2), coded(4), coded(3)},
        RuleList{coded(4)}, RuleList{}}) {
    EXPECT_EQ(transition(have, foreign(rules)), (Transition{Change::update, Disruption::nothing}));
  }
  EXPECT_EQ(transition(have, foreign({coded(2), coded(1), coded(3)})),
            (Transition{Change::update, Disruption::counters}));
}

TEST(Chain, NeedsEachIpsetOfItsRulesOnce) {
  const RuleList rules{coded(1, {"b", "a"}), coded(2), coded(3, {"b"})};
  EXPECT_THAT(needs(foreign(rules)), ElementsAre(Need(NeedsSet{"a"}), Need(NeedsSet{"b"})));
  EXPECT_THAT(needs(forward({coded(1, {"a"})}, {coded(2, {"b"})})),
              ElementsAre(Need(NeedsSet{"a"}), Need(NeedsSet{"b"})));
  EXPECT_THAT(needs(foreign({"-m set --match-set b src -j A", "-m set ! --match-set a dst,src"})),
              ElementsAre(Need(NeedsSet{"a"}), Need(NeedsSet{"b"})));
  EXPECT_THAT(needs(foreign({"-m comment --comment \"--match-set a src\"", "", "-j DROP"})),
              IsEmpty());
}

TEST(Chain, IsReadFromTheSpecAndWrittenBack) {
  test::SpecText spec(R"({ "APP": { "rules": [
    "-p tcp  --dport 22 -jACCEPT", "",
    { "match": "-d 10.0.0.0/8", "target": "DNAT --to-destination 10.0.0.1", "comment": "the api" },
    { "comment": "only this" } ] } })");
  const auto chain = Chain::from_spec(spec.member("APP"), Family::inet, "nat");
  ASSERT_TRUE(chain) << testing::PrintToString(spec.faults());
  EXPECT_THAT(spec.faults(), IsEmpty());
  EXPECT_THAT(
      chain->rules,
      ElementsAre(
          "-p tcp --dport 22 -j ACCEPT", "",
          "-d 10.0.0.0/8 -m comment --comment \"the api\" -j DNAT --to-destination 10.0.0.1",
          "-m comment --comment \"only this\""));
  EXPECT_FALSE(chain->marked);
  EXPECT_TRUE(is_marked(with_mark(*chain, {}), {}));
  EXPECT_EQ(to_spec(*chain).at("rules").as_array().size(), 4U);
  EXPECT_EQ(to_spec(with_mark(*chain, {})), to_spec(*chain));
}

TEST(Chain, ItsMarkIsNotForTheSpecToWrite) {
  test::SpecText spec(R"({ "APP": { "rules": ["-j DROP", "-m comment --comment plumbline"] } })");
  static_cast<void>(Chain::from_spec(spec.member("APP"), Family::inet, "filter"));
  ASSERT_EQ(spec.errors().size(), 1U);
  EXPECT_NE(spec.errors().front().message.find("mark"), std::string::npos);
}

TEST(Chain, AllFaultsOfItsRulesAreReportedAtTheirPlaces) {
  test::SpecText spec(R"({ "APP": { "rules": [
    "-t nat", 7, { "match": "-j \"x" }, { "target": "-j DROP" }, {}, { "match": "", "comment": "a\"" },
    { "match": "-m comment --comment x", "comment": "y" }, { "comment": "a\nb" },
    { "comment": "ends with \\" }, { "matches": "" } ], "policy": "DROP" } })");
  static_cast<void>(Chain::from_spec(spec.member("APP"), Family::inet, "filter"));
  const std::string rule = "INVALID_IPTABLES_RULE /APP/rules/";
  EXPECT_THAT(spec.faults(),
              testing::UnorderedElementsAre(
                  "UNKNOWN_KEY /APP/policy", rule + "0", "WRONG_TYPE /APP/rules/1",
                  rule + "2/match", rule + "3/target", "MISSING_KEY /APP/rules/4",
                  rule + "5/comment", rule + "6/comment", rule + "7/comment", rule + "8/comment",
                  "UNKNOWN_KEY /APP/rules/9/matches", "MISSING_KEY /APP/rules/9"));
}

TEST(Chain, NamesThatIptablesHasOtherUsesForAreRefused) {
  for (const char* name : {"INPUT", "PREROUTING", "ACCEPT", "a b", "-x"}) {
    test::SpecText spec("{ \"" + std::string(name) + "\": {} }");
    EXPECT_FALSE(Chain::from_spec(spec.member(name), Family::inet, "filter")) << name;
    EXPECT_THAT(spec.faults(), ElementsAre("INVALID_CHAIN_NAME /" + std::string(name)));
  }
}

// ---- our rules in shared chains -----------------------------------------------------------------

TEST(SharedChain, IsDecodedByWhoseRulesStandWhere) {
  const auto chains = decoded<SharedChain>(saved);
  ASSERT_EQ(chains.size(), 3U);  // Not the one that is ours.
  EXPECT_EQ(chains[0].name, "INPUT");
  EXPECT_TRUE(chains[0].only_ours);
  const SharedChain& forward = chains[1];
  EXPECT_EQ(forward.policy, "DROP");
  EXPECT_EQ(forward.insert.size(), 2U);
  EXPECT_THAT(forward.strays, ElementsAre("-m comment --comment plumbline -j LOG"));
  EXPECT_THAT(forward.stray_places, ElementsAre(4U));
  EXPECT_EQ(forward.append.size(), 1U);
  EXPECT_FALSE(forward.only_ours);
  EXPECT_EQ(chains[2].name, "DOCKER-USER");
  EXPECT_FALSE(is_marked(chains[2], {}));
  EXPECT_EQ(format(key(forward)), "shared inet filter FORWARD");
}

TEST(SharedChain, TheMarkJoinsTheUsersComment) {
  const SharedChain marked = with_mark(
      forward({"-j A", "-m comment --comment \"my own\" -j B", "-m comment --comment \"\" -j C"}),
      {});
  EXPECT_THAT(marked.insert, ElementsAre("-j A -m comment --comment plumbline",
                                         "-m comment --comment \"plumbline: my own\" -j B",
                                         "-m comment --comment plumbline -j C"));
  EXPECT_EQ(with_mark(marked, {}), marked);
  for (const FirewallRule& rule : marked.insert) EXPECT_TRUE(rule.carries_mark()) << rule.text();
}

TEST(SharedChain, IsReadFromTheSpecAndWrittenBackWithoutTheMark) {
  const auto document = boost::json::parse(R"({ "policy": "DROP",
    "insert": ["-i br0 -j APP", "-m comment --comment mine -j B"], "append": ["-j LOG"] })");
  test::SpecText spec(R"({ "FORWARD": )" + boost::json::serialize(document) + "}");
  const auto chain = SharedChain::from_spec(spec.member("FORWARD"), Family::inet, "filter");
  ASSERT_TRUE(chain);
  EXPECT_EQ(to_spec(with_mark(*chain, {})), document);
}

TEST(SharedChain, NothingIsDroppedByThePolicyOfNat) {
  test::SpecText spec(R"({ "OUTPUT": { "policy": "DROP" }, "INPUT": { "policy": "ACCEPT" } })");
  for (const char* name : {"OUTPUT", "INPUT"}) {
    static_cast<void>(SharedChain::from_spec(spec.member(name), Family::inet, "nat"));
  }
  EXPECT_THAT(spec.faults(), ElementsAre("INVALID_IPTABLES_RULE /OUTPUT/policy"));
}

TEST(SharedChain, ItsFaultsAreReported) {
  test::SpecText spec(R"({ "a": { "policy": "DROP" }, "INPUT": { "policy": "REJECT", "rules": [] },
    "POSTROUTING": {}, "OUTPUT": { "insert": [{ "comment": ")" +
                      std::string(245, 'x') + R"(" }] } })");
  for (const char* name : {"a", "INPUT", "POSTROUTING", "OUTPUT"}) {
    static_cast<void>(SharedChain::from_spec(spec.member(name), Family::inet, "filter"));
  }
  EXPECT_THAT(spec.faults(),
              testing::UnorderedElementsAre(
                  "INVALID_IPTABLES_RULE /a/policy", "INVALID_IPTABLES_RULE /INPUT/policy",
                  "UNKNOWN_KEY /INPUT/rules", "INVALID_CHAIN_NAME /POSTROUTING",
                  "INVALID_IPTABLES_RULE /OUTPUT/insert/0"));
}

TEST(SharedChain, NeedsTheChainWhenItIsNotBuiltIn) {
  EXPECT_THAT(needs(forward({})), IsEmpty());
  SharedChain other = forward({});
  other.name = "DOCKER-USER";
  EXPECT_THAT(needs(other), ElementsAre(Need(NeedsChain{Family::inet, "filter", "DOCKER-USER"})));
}

TEST(SharedChain, TopAndEndAreOnePlaceWhereNobodyElseIs) {
  SharedChain have = forward({"a", "b"});
  have.only_ours = true;
  const SharedChain want = complete(forward({"a"}, {"b"}), have);
  EXPECT_EQ(want, have);
  have.only_ours = false;
  EXPECT_NE(complete(forward({"a"}, {"b"}), have), have);
}

TEST(SharedChain, APolicyThatTheSpecLeavesOpenStays) {
  SharedChain have = forward({});
  have.policy = "DROP";
  EXPECT_EQ(complete(forward({}), have), have);
  SharedChain want = forward({});
  want.policy = "ACCEPT";
  EXPECT_EQ(text_of(update(have, want, {})), "*filter\n-P FORWARD ACCEPT\nCOMMIT\n");
  EXPECT_THAT(update(have, have, {}), IsEmpty());
}

TEST(SharedChain, AnUpdateTouchesOnlyWhatDiffers) {
  const SharedChain have = forward({ours("10.0.0.1"), ours("10.0.0.2"), ours("10.0.0.3")},
                                   {ours("10.0.0.8"), ours("10.0.0.9")});
  const SharedChain want = forward({ours("10.0.0.1"), ours("10.0.0.4"), ours("10.0.0.3")},
                                   {ours("10.0.0.8"), ours("10.0.0.7")});
  EXPECT_EQ(text_of(update(have, want, {})),
            "*filter\n-D FORWARD " + written("10.0.0.2") + "\n-D FORWARD " + written("10.0.0.9") +
                "\n-I FORWARD 2 " + written("10.0.0.4") + "\n-A FORWARD " + written("10.0.0.7") +
                "\nCOMMIT\n");
  EXPECT_EQ(transition(have, want).disrupts, Disruption::counters);
}

TEST(SharedChain, AddingAloneDisruptsNothing) {
  const SharedChain have = forward({ours("10.0.0.1")});
  EXPECT_EQ(transition(have, forward({ours("10.0.0.5"), ours("10.0.0.1")}, {ours("10.0.0.9")})),
            (Transition{Change::update, Disruption::nothing}));
}

TEST(SharedChain, OfNfTablesLosesOnlyTheCountersOfRulesThatMove) {
  const SharedChain have = forward({coded(1), coded(2)}, {coded(3)});
  const Transition nothing{Change::update, Disruption::nothing};
  const Transition counters{Change::update, Disruption::counters};
  EXPECT_EQ(transition(have, forward({coded(1), coded(4), coded(2)}, {coded(3), coded(5)})),
            nothing);
  EXPECT_EQ(transition(have, forward({coded(2)})), nothing);
  EXPECT_EQ(transition(have, forward({coded(2), coded(1)}, {coded(3)})), counters);
  EXPECT_EQ(transition(have, forward({coded(1)}, {coded(2), coded(3)})), counters)
      << "past the foreign rules";
  SharedChain astray = forward({});
  astray.strays = {coded(1)};
  astray.stray_places = {2};
  EXPECT_EQ(transition(astray, forward({coded(1)})), counters);
  EXPECT_EQ(transition(astray, forward({coded(2)})), nothing);
}

TEST(SharedChain, WhatIsThereTwiceOrAstrayIsPutInAnew) {
  SharedChain have = forward({ours("10.0.0.1"), ours("10.0.0.1")});
  const std::string twice = "-D FORWARD " + written("10.0.0.1") + "\n";
  EXPECT_EQ(text_of(update(have, forward({ours("10.0.0.1")}), {})),
            "*filter\n" + twice + twice + "-I FORWARD 1 " + written("10.0.0.1") + "\nCOMMIT\n");
  have = forward({});
  have.strays = {ours("10.0.0.1")};
  have.stray_places = {3};
  EXPECT_EQ(text_of(update(have, forward({ours("10.0.0.1")}), {})),
            "*filter\n" + twice + "-I FORWARD 1 " + written("10.0.0.1") + "\nCOMMIT\n");
  EXPECT_EQ(text_of(update(forward({ours("10.0.0.1")}), have, {})),
            "*filter\n" + twice + "-I FORWARD 3 " + written("10.0.0.1") + "\nCOMMIT\n");
}

TEST(SharedChain, IsRemovedRuleByRule) {
  EXPECT_EQ(text_of(remove(forward({ours("10.0.0.1")}, {ours("10.0.0.2")}), {})),
            "*filter\n-D FORWARD " + written("10.0.0.1") + "\n-D FORWARD " + written("10.0.0.2") +
                "\nCOMMIT\n");
  EXPECT_EQ(text_of(create(forward({ours("10.0.0.1")}, {ours("10.0.0.2")}), {})),
            "*filter\n-I FORWARD 1 " + written("10.0.0.1") + "\n-A FORWARD " + written("10.0.0.2") +
                "\nCOMMIT\n");
}

// ---- names --------------------------------------------------------------------------------------

TEST(BuiltinChains, DependOnTheTable) {
  EXPECT_TRUE(is_builtin_chain(Family::inet, "filter", "FORWARD"));
  EXPECT_FALSE(is_builtin_chain(Family::inet, "filter", "PREROUTING"));
  EXPECT_TRUE(is_builtin_chain(Family::inet, "nat", "INPUT"));
  EXPECT_FALSE(is_builtin_chain(Family::inet, "nat", "FORWARD"));
  EXPECT_TRUE(is_builtin_chain(Family::inet, "mangle", "POSTROUTING"));
  EXPECT_TRUE(is_builtin_chain(Family::inet, "raw", "OUTPUT"));
  EXPECT_FALSE(is_builtin_chain(Family::inet, "raw", "INPUT"));
  EXPECT_TRUE(is_builtin_chain(Family::inet, "security", "INPUT"));
  EXPECT_FALSE(is_builtin_chain(Family::inet, "filter", "APP"));
}

}  // namespace

}  // namespace plumbline
