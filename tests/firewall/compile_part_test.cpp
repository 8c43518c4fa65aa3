// Of a changed spec only what changed goes through the scratch namespace, and what comes of it is
// what comes of the whole.

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include "tests/firewall/compiling.hpp"

namespace plumbline::engine {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class CompilePart : public Compiling {
 protected:
  void expect_same_as_fresh(const State& state) {
    io::ScratchHost scratch(GetParam());
    firewall::IptablesCompiler fresh(scratch);
    spec::Desired desired = wanted();
    Diagnostics diagnostics;
    fresh.compile(desired, {}, diagnostics);
    ASSERT_TRUE(diagnostics.ok());
    EXPECT_EQ(state, desired.state);
    // Rules with code are equal when that is.
    const auto texts_of_all = [](const State& of) {
      std::vector<std::string> texts;
      const auto add = [&](const RuleList& rules) {
        for (const FirewallRule& rule : rules) texts.push_back(rule.text());
      };
      for (const Chain& chain : of.of<Chain>()) add(chain.rules);
      for (const SharedChain& chain : of.of<SharedChain>()) {
        add(chain.insert);
        add(chain.append);
      }
      return texts;
    };
    EXPECT_EQ(texts_of_all(state), texts_of_all(desired.state));
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, CompilePart, both_backends, backend_name);

TEST_P(CompilePart, OnlyTheChangedRuleIsLoaded) {
  want("APP", {"-s 10.0.0.1 -j ACCEPT", "-s 10.0.0.2,10.0.0.3 -j DROP", "-s 10.0.0.4 -j LOG"});
  want("OTHER", {"-j ACCEPT"});
  const State before = compile();
  EXPECT_EQ(loaded(), 7);
  want_nothing();
  want("APP", {"-s 10.0.0.1 -j ACCEPT", "-s 10.0.0.2,10.0.0.3 -j DROP", "-s 10.0.0.5 -j LOG"});
  want("OTHER", {"-j ACCEPT"});
  const State after = compile();
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_EQ(loaded(), uses_nft() ? 1 : 7);
  EXPECT_THAT(rules_of(after, "APP"),
              ElementsAre("-s 10.0.0.1/32 -j ACCEPT", "-s 10.0.0.2/32 -j DROP",
                          "-s 10.0.0.3/32 -j DROP", "-s 10.0.0.5/32 -j LOG"));
  expect_same_as_fresh(after);
  if (!uses_nft()) return;
  const Chain::Key app{Family::inet, "filter", "APP"};
  const auto& was = before.find<Chain>(app)->rules;
  const auto& is = after.find<Chain>(app)->rules;
  for (const std::size_t same : {0U, 1U, 2U, 4U}) EXPECT_EQ(&was[same].text(), &is[same].text());
}

TEST_P(CompilePart, WhatIsOnlyMovedOrTakenOutIsNotLoaded) {
  want("APP", {"-s 10.0.0.1 -j ACCEPT", "-s 10.0.0.2,10.0.0.3 -j DROP", "-s 10.0.0.4 -j LOG"});
  compile();
  want_nothing();
  want("APP", {"-s 10.0.0.4 -j LOG", "-s 10.0.0.2,10.0.0.3 -j DROP"});
  scratch_->reset();
  const State after = compile();
  EXPECT_EQ(loaded() == 0, uses_nft());
  expect_same_as_fresh(after);
}

TEST_P(CompilePart, ARefusedRuleIsNamedAtItsPlaceAndTheNextEditIsSmallAgain) {
  want("APP", {"-s 10.0.0.1 -j ACCEPT", "-j LOG"});
  want("MORE", {"-j LOG"});
  compile();
  want_nothing();
  want("APP", {"-s 10.0.0.1 -j ACCEPT", "--frobnicate", "-j LOG", "-m nosuch"});
  want("MORE", {"-p tcp --dport nosuch", "-j LOG"});
  compile();
  EXPECT_THAT(errors(),
              testing::UnorderedElementsAre(HasSubstr("101: '--frobnicate'"),
                                            HasSubstr("103: '-m nosuch'"), HasSubstr("200: ")));
  want_nothing();
  want("APP", {"-s 10.0.0.1 -j ACCEPT", "-s 10.0.0.9 -j DROP", "-j LOG"});
  want("MORE", {"-j LOG"});
  const State after = compile();
  EXPECT_THAT(errors(), IsEmpty());
  if (uses_nft()) {
    EXPECT_EQ(loaded(), 1);
  }
  expect_same_as_fresh(after);
}

/// The kernel looks at where packets come from, over any number of jumps.
TEST_P(CompilePart, ARuleThatCannotBeWherePacketsComeFromIsRefused) {
  const auto want_all = [&](const std::string& rule) {
    want_nothing();
    want_shared("INPUT", {"-s 10.0.0.1 -j FIRST"});
    want("FIRST", {"-j LOG", "-s 10.0.0.2 -j SECOND", "-s 10.0.0.3 -j SECOND"});
    want("SECOND", {"-j LOG", rule});
    want("THIRD", {"-j LOG", "-j ACCEPT"});
  };
  want_all("-s 10.0.0.4 -j ACCEPT");
  compile();
  want_all("-m owner --uid-owner 0 -j ACCEPT");
  compile();
  EXPECT_THAT(errors(), SizeIs(1));
  want_all("-s 10.0.0.5 -j ACCEPT");
  compile();
  EXPECT_THAT(errors(), IsEmpty());
  if (uses_nft()) {  // With one jump from each chain on the way.
    EXPECT_EQ(loaded(), 3);
  }
}

TEST_P(CompilePart, ANewWayForPacketsIsJudgedByAllThatItLeadsTo) {
  want("LATE", {"-j LOG", "-m owner --uid-owner 0 -j ACCEPT"});
  want_shared("OUTPUT", {"-j LATE"});
  want_shared("INPUT", {"-j LOG"});
  compile();
  EXPECT_THAT(errors(), IsEmpty());
  want_nothing();
  want("LATE", {"-j LOG", "-m owner --uid-owner 0 -j ACCEPT"});
  want_shared("OUTPUT", {"-j LATE"});
  want_shared("INPUT", {"-j LOG", "-j LATE"});
  compile();
  EXPECT_THAT(errors(), SizeIs(1));
}

TEST_P(CompilePart, AJumpToAChainOfNobodysIsRemembered) {
  want("APP", {"-j LOG", "-j NOT-YET"});
  compile();
  want_nothing();
  want("APP", {"-j ACCEPT", "-j NOT-YET", "-s 10.0.0.1 -j NOT-YET"});
  const State after = compile();
  EXPECT_THAT(errors(), IsEmpty());
  if (uses_nft()) {
    EXPECT_EQ(loaded(), 2);
  }
  expect_same_as_fresh(after);
}

TEST_P(CompilePart, AnEstimatorThatIsTakenAwayIsMissed) {
  want("APP", {"-j RATEEST --rateest-name one --rateest-interval 250ms --rateest-ewmalog 0.5s",
               "-m rateest --rateest one --rateest-lt --rateest-bps 8bit"});
  compile();
  if (!diagnostics_.errors.empty()) GTEST_SKIP() << "this kernel has no estimator of rates";
  want_nothing();
  want("APP", {"-m rateest --rateest one --rateest-lt --rateest-bps 8bit"});
  compile();
  EXPECT_THAT(errors(), SizeIs(1));
}

TEST_P(CompilePart, WarningsAreSaidAgain) {
  const std::string full = "-p tcp ! --dport 0:65535 -j DROP";
  for (const std::string other : {"1", "2", "3"}) {
    want_nothing();
    want("APP", {full, "-s 10.0.0." + other + " -j ACCEPT"});
    compile();
    EXPECT_THAT(errors(), IsEmpty());
    ASSERT_THAT(diagnostics_.warnings, SizeIs(1)) << other;
    EXPECT_EQ(diagnostics_.warnings.front().origin.line, 100U);
  }
}

TEST_P(CompilePart, AnyEditGivesWhatAllOfItGives) {
  using Chains = std::vector<Rules>;
  const auto some_rule = rc::gen::elementOf(
      Rules{"-s 10.0.0.1 -j ACCEPT", "-s 10.0.0.1,10.0.0.2 -j DROP", "-p tcp --dport ssh -j LOG",
            "", "-j LOG --log-prefix \"a, b\"", "-p udp -m multiport --dports 1,2 -j DROP",
            "-m comment --comment x -j RETURN", "-s 10.0.0.3,10.0.0.4 -p tcp --dport 80 -j A",
            "-s 10.0.0.5 -j A", "-s 10.0.0.6 -g A", "-s 10.0.0.7 -j NOT-YET"});
  const auto some_rules = rc::gen::resize(8, rc::gen::container<Rules>(some_rule));
  const auto some_chains = rc::gen::container<Chains>(4, some_rules);
  EXPECT_TRUE(rc::check("incremental and from scratch", [&] {
    const auto versions = *rc::gen::container<std::vector<Chains>>(3, some_chains);
    start();
    for (const Chains& chains : versions) {
      want_nothing();
      Rules leaf = chains[0];
      std::erase_if(leaf, [](const std::string& rule) {
        return rule.ends_with("-j A") || rule.ends_with("-g A");
      });
      want("A", leaf);
      want("B", chains[1]);
      want_shared("FORWARD", chains[2], chains[3]);
      const State state = compile();
      RC_ASSERT(diagnostics_.errors.empty());
      expect_same_as_fresh(state);
      RC_ASSERT(!HasFailure());
    }
  }));
}

class CompileEbtablesPart : public CompilePart {};

INSTANTIATE_TEST_SUITE_P(Backends, CompileEbtablesPart, testing::Values(io::Backend::nft),
                         backend_name);

TEST_P(CompileEbtablesPart, OnlyTheChangedRuleIsLoaded) {
  if (test::run({"ebtables-nft-restore", "--version"}).status == 127) {
    GTEST_SKIP() << "ebtables-nft is not installed";
  }
  for (const char* const address : {"02:00:00:00:00:01", "02:00:00:00:00:02"}) {
    want_nothing();
    want("APP", {"-p IPv4 -j ACCEPT", std::string("-s ") + address + " -j DROP", "-p ARP -j DROP"},
         "filter", Family::bridge);
    const State state = compile();
    EXPECT_THAT(errors(), IsEmpty());
    expect_same_as_fresh(state);
  }
  EXPECT_EQ(loaded(Family::bridge), 1);
}

}  // namespace

}  // namespace plumbline::engine
