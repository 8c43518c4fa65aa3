// Chains that change while traffic flows: what holds it back is there all the time.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <stdlib.h>

#include <boost/json.hpp>

#include "src/plan/predict.hpp"
#include "src/report/json.hpp"
#include "src/report/text.hpp"
#include "tests/support/arbitrary.hpp"

namespace plumbline::plan {
namespace {

SharedChain forward(RuleList insert, RuleList append = {}, const char* policy = "ACCEPT",
                    Family family = Family::inet) {
  return {family, "filter", "FORWARD", policy, std::move(insert), std::move(append), {}, {}, false};
}

/// The steps for chains of a plan in which a route ends as well.
Plan plan(State have, const State& want) {
  Route route;
  route.table = main_table;
  route.to = *Prefix::parse("10.9.0.0/16");
  route.type = RouteType::blackhole;
  have.of<Route>().push_back(with_mark(route, Mark()));
  Plan steps = make_plan(have, want, {}, {}, {});
  const auto is_end = [](const Step& step) { return std::holds_alternative<Route::Key>(step.key); };
  const auto end = std::ranges::find_if(steps.steps, is_end);
  if (end == steps.steps.end()) throw std::logic_error("nothing ends");
  const auto position = static_cast<std::size_t>(end - steps.steps.begin());
  steps.steps.erase(end);
  for (Step& step : steps.steps) {
    for (std::size_t& need : step.needs) need -= need > position ? 1 : 0;
  }
  return steps;
}

Plan plan(const SharedChain& have, const SharedChain& want) {
  State before;
  State after;
  before.of<SharedChain>().push_back(have);
  after.of<SharedChain>().push_back(want);
  return plan(before, after);
}

const SharedChain& after(const Step& step) { return std::get<SharedChain>(*step.after); }

TEST(Gradual, ANewGuardComesBeforeTrafficAndAnOldOneGoesAfterIt) {
  for (const Family family : {Family::inet, Family::inet6, Family::bridge}) {
    const SharedChain have = forward({"-i a -j DROP", "-i c -j DROP"}, {}, "ACCEPT", family);
    const SharedChain want = forward({"-i b -j DROP", "-i c -j DROP"}, {}, "ACCEPT", family);
    const Plan steps = plan(have, want);
    ASSERT_EQ(steps.steps.size(), 2U);
    EXPECT_EQ(steps.steps[0].phase, Phase::guard);
    EXPECT_EQ(after(steps.steps[0]).insert,
              (RuleList{"-i a -j DROP", "-i b -j DROP", "-i c -j DROP"}));
    EXPECT_EQ(steps.steps[1].phase, Phase::release);
    EXPECT_EQ(steps.steps[1].before, steps.steps[0].after);
    EXPECT_EQ(after(steps.steps[1]), want);
    EXPECT_EQ(predict({}, steps).of<SharedChain>().front().insert, want.insert);
  }
}

TEST(Gradual, WhereNothingButRulesEndsAllIsOneCommit) {
  State have;
  State want;
  have.of<SharedChain>().push_back(forward({"-i a -j A", "-i c -j DROP"}));
  want.of<SharedChain>().push_back(forward({"-i a -j B", "-i c -j DROP"}));
  want.of<Chain>() = {{Family::inet, "filter", "B", {"-j DROP"}, true}};
  have.of<Chain>() = {{Family::inet, "filter", "A", {"-j DROP"}, true}, want.of<Chain>().front()};
  want.of<Chain>().insert(want.of<Chain>().begin(), have.of<Chain>().front());
  const Plan swap = make_plan(have, want, {}, {}, {});
  ASSERT_EQ(swap.steps.size(), 1U);
  EXPECT_EQ(swap.steps[0].phase, Phase::guard);
}

TEST(Gradual, IsOneLineAndOneStepToTheReader) {
  const Plan steps = plan(forward({"-i a -j DROP"}), forward({"-i b -j DROP"}));
  EXPECT_EQ(report::to_text(steps, false),
            "  ~ shared inet filter FORWARD  (changed)\n"
            "        - -i a -j DROP\n"
            "        + -i b -j DROP\n"
            "\nPlan: 0 to create, 1 to update, 0 to replace, 0 to delete.\n");
  const boost::json::value json = report::to_json(steps);
  ASSERT_EQ(json.at("steps").as_array().size(), 1U);
  EXPECT_EQ(json.at("steps").at(0).at("action"), "update");
  EXPECT_EQ(json.at("steps").at(0).at("needs"), boost::json::array());
}

TEST(Gradual, WhatLetsThroughMayGoAtOnce) {
  const Plan steps = plan(forward({"-i a -j ACCEPT"}), forward({"-i b -j DROP"}));
  ASSERT_EQ(steps.steps.size(), 1U);
  EXPECT_EQ(steps.steps[0].phase, Phase::guard);
}

TEST(Gradual, OfTwoRulesThatGoTheOneThatHoldsBackGoesLast) {
  const Plan steps = plan(forward({"-i a -j ACCEPT", "-i a -j DROP"}), forward({}, {}, "DROP"));
  ASSERT_EQ(steps.steps.size(), 2U);
  EXPECT_EQ(after(steps.steps[0]).insert, RuleList{"-i a -j DROP"});
  EXPECT_EQ(after(steps.steps[0]).policy, "DROP");
}

TEST(Gradual, APolicyClosesAtOnceAndOpensLast) {
  const Plan closing = plan(forward({}), forward({}, {}, "DROP"));
  ASSERT_EQ(closing.steps.size(), 1U);
  EXPECT_EQ(closing.steps[0].phase, Phase::guard);
  const Plan opening = plan(forward({}, {}, "DROP"), forward({}));
  ASSERT_EQ(opening.steps.size(), 1U);
  EXPECT_EQ(opening.steps[0].phase, Phase::release);
  const Plan both = plan(forward({}, {}, "DROP"), forward({"-i a -j DROP"}));
  ASSERT_EQ(both.steps.size(), 2U);
  EXPECT_EQ(after(both.steps[0]).policy, "DROP");
}

TEST(Gradual, NothingNewIsLetThroughInFrontOfAGuardThatIsToGo) {
  const Plan steps = plan(forward({"-s 10.1.1.1 -j ACCEPT", "-i a -j DROP"}),
                          forward({"-o e -j ACCEPT", "-s 10.1.1.1 -j ACCEPT", "-i b -j DROP"}));
  ASSERT_EQ(steps.steps.size(), 2U);
  EXPECT_EQ(after(steps.steps[0]).insert,
            (RuleList{"-s 10.1.1.1 -j ACCEPT", "-i a -j DROP", "-i b -j DROP"}));
}

TEST(Gradual, AGuardAmongForeignRulesWaitsInFrontOfThem) {
  SharedChain have = forward({"-i c -j DROP"});
  have.strays = {"-i a -j DROP"};
  have.stray_places = {3};
  const Plan steps = plan(have, forward({"-i b -j DROP", "-i c -j DROP"}));
  ASSERT_EQ(steps.steps.size(), 2U);
  EXPECT_EQ(after(steps.steps[0]).insert,
            (RuleList{"-i a -j DROP", "-i b -j DROP", "-i c -j DROP"}));
  EXPECT_EQ(plan(have, forward({"-i c -j DROP"})).steps.at(0).phase, Phase::release);
}

TEST(Gradual, WhatStandsElsewhereAfterwardsIsNotOnlyLetGo) {
  // Tightened where a rule that drops comes before one that accepts: before traffic may flow.
  const Plan reordered = plan(forward({"-s 10.1.0.0/16 -j ACCEPT", "-i a -j DROP", "-i c -j DROP"}),
                              forward({"-i a -j DROP", "-s 10.1.0.0/16 -j ACCEPT"}));
  ASSERT_EQ(reordered.steps.size(), 2U);
  EXPECT_EQ(after(reordered.steps[0]).insert.rules().front(), FirewallRule("-i a -j DROP"));
  const Plan to_the_top =
      plan(forward({"-i c -j DROP"}, {"-i a -j DROP"}), forward({"-i a -j DROP"}));
  EXPECT_EQ(to_the_top.steps.at(0).phase, Phase::guard);
  SharedChain have = forward({"-i c -j DROP"});
  have.strays = {"-i a -j DROP"};
  have.stray_places = {3};
  EXPECT_EQ(plan(have, forward({"-i a -j DROP"})).steps.at(0).phase, Phase::guard);
}

TEST(Gradual, AChainOfOursIsTightenedBeforeTrafficWhereItsRulesMoveAsOneGoes) {
  State have;
  State want;
  have.of<Chain>() = {{Family::inet,
                       "filter",
                       "ALL",
                       {"-s 10.1.0.0/16 -j ACCEPT", "-i a -j DROP", "-i c -j DROP"},
                       true}};
  want.of<Chain>() = {
      {Family::inet, "filter", "ALL", {"-i a -j DROP", "-s 10.1.0.0/16 -j ACCEPT"}, true}};
  EXPECT_EQ(plan(have, want).steps.at(0).phase, Phase::guard);
}

TEST(Gradual, AChainOfOursLeadsToOneThatGoesUntilItIsGone) {
  State have;
  State want;
  have.of<Chain>() = {{Family::inet, "filter", "A", {"-j DROP"}, true},
                      {Family::inet, "filter", "ALL", {"-i a -j A", "-i x -j DROP"}, true}};
  want.of<Chain>() = {{Family::inet, "filter", "ALL", {"-i b -j B"}, true},
                      {Family::inet, "filter", "B", {"-j DROP"}, true}};
  const Plan steps = plan(have, want);
  ASSERT_EQ(steps.steps.size(), 4U);
  EXPECT_EQ(std::get<Chain>(*steps.steps[1].after).rules, (RuleList{"-i a -j A", "-i b -j B"}));
  EXPECT_EQ(steps.steps[1].phase, Phase::guard);
  EXPECT_EQ(steps.steps[2].phase, Phase::release);
  EXPECT_EQ(steps.steps[3].action, Action::remove);
  EXPECT_EQ(steps.steps[3].needs, (std::vector<std::size_t>{1, 2}));
}

TEST(Gradual, AChainThatIsBlockedIsLeftAsItIs) {
  const Plan steps = plan(forward({"-i a -j DROP"}), forward({"-m set --match-set S src -j DROP"}));
  EXPECT_TRUE(steps.empty());
  EXPECT_EQ(steps.blocked.size(), 1U);
}

// ---- for any two chains -------------------------------------------------------------------------

RuleList some_rules(std::size_t most) {
  RuleList::Rules rules;
  const auto count = static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(most) + 1));
  for (std::size_t i = 0; i < count; ++i) {
    const std::string match = "-s 10.0.0." + std::to_string(*rc::gen::inRange(0, 5));
    const auto target = *rc::gen::element<std::string>("ACCEPT", "DROP", "RETURN", "LOG");
    FirewallRule rule(match + " -j " + target);
    if (std::ranges::find(rules, rule) == rules.end()) rules.push_back(std::move(rule));
  }
  return rules;
}

SharedChain some_chain() {
  RuleList insert = some_rules(5);
  const RuleList append = some_rules(3);
  RuleList::Rules rest;
  for (const FirewallRule& rule : append) {
    if (std::ranges::find(insert, rule) == insert.end()) rest.push_back(rule);
  }
  return forward(std::move(insert), rest, *rc::gen::element("ACCEPT", "DROP"));
}

/// What becomes of a packet that only one match fits, as far as our rules and the policy say.
bool is_held_back(const SharedChain& chain, int source) {
  const std::string match = "-s 10.0.0." + std::to_string(source) + " -j ";
  for (const FirewallRule& rule : chain.insert.followed_by(chain.append)) {
    if (rule.text() == match + "ACCEPT") return false;
    if (rule.text() == match + "DROP") return true;
    if (rule.text() == match + "RETURN") break;
  }
  return chain.policy == "DROP";
}

/// No rule that stays was moved past another one.
bool keeps_order(const RuleList& before, const RuleList& now) {
  const auto in = [](const RuleList& list) {
    return
        [&list](const FirewallRule& rule) { return std::ranges::find(list, rule) != list.end(); };
  };
  const auto stays = static_cast<std::size_t>(std::ranges::count_if(now, in(before)));
  return kept_rules(before.rules(), now.rules()).size() == stays;
}

bool may_open(const FirewallRule& rule) {
  return rule.leads_to("ACCEPT") || rule.leads_to("RETURN");
}

/// Whether a rule that may open would come to stand in front of a guard that is to go, or may be a
/// guard that is to go itself: then the chain waits.
bool waits_for_a_guard(const SharedChain& have, const SharedChain& want) {
  const RuleList before = have.insert.followed_by(have.append);
  const RuleList now = want.insert.followed_by(want.append);
  const auto place = [](const RuleList& list, const FirewallRule& rule) {
    return std::ranges::find(list, rule) - list.begin();
  };
  const auto goes = [&](const FirewallRule& rule) {
    return place(now, rule) == std::ssize(now) && !rule.leads_to("ACCEPT");
  };
  if (std::ranges::none_of(before, goes)) return false;
  const auto returns = [&](const FirewallRule& rule) {
    return rule.leads_to("RETURN") && goes(rule);
  };
  if (std::ranges::any_of(before, returns)) return true;
  return std::ranges::any_of(now, [&](const FirewallRule& rule) {
    if (!may_open(rule)) return false;
    const bool is_kept = place(want.insert, rule) == std::ssize(want.insert)
                             ? place(have.append, rule) != std::ssize(have.append)
                             : place(have.insert, rule) != std::ssize(have.insert);
    return !is_kept || std::ranges::any_of(now, [&](const FirewallRule& other) {
      return place(now, rule) < place(now, other) && place(before, other) < place(before, rule);
    });
  });
}

/// A chain from which rules were taken, and in which others may have moved.
SharedChain some_rest_of(const SharedChain& chain) {
  const auto rest_of = [](const RuleList& list) {
    RuleList::Rules rules = list.rules();
    if (!rules.empty() && *rc::gen::inRange(0, 2) == 0) {
      rules.erase(rules.begin() + *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(rules)));
    }
    if (rules.size() > 1 && *rc::gen::inRange(0, 2) == 0) std::swap(rules.front(), rules.back());
    return RuleList(std::move(rules));
  };
  return forward(rest_of(chain.insert), rest_of(chain.append), chain.policy->c_str());
}

TEST(GradualProperties, BetweenTheCommitsNothingPassesThatDidNotBeforeOrWillNotAfter) {
  setenv("RC_PARAMS", "seed=20261123", 0);
  const auto guards = [](const SharedChain& have, const SharedChain& want) {
    const Plan steps = plan(have, want);
    RC_ASSERT(steps.steps.size() <= 2U);
    for (const Step& step : steps.steps) {
      const auto& before = std::get<SharedChain>(*step.before);
      const RuleList now = after(step).insert.followed_by(after(step).append);
      for (const FirewallRule& rule : before.insert.followed_by(before.append)) {
        if (step.phase == Phase::release || rule.leads_to("ACCEPT")) continue;
        RC_ASSERT(std::ranges::find(now, rule) != now.end());
      }
      for (int source = 0; source < 5 && step.phase == Phase::guard; ++source) {
        const bool was = is_held_back(have, source);
        const bool will_be = is_held_back(want, source);
        if (was && will_be) RC_ASSERT(is_held_back(after(step), source));
      }
    }
    const bool is_late = steps.steps.size() == 1U && steps.steps.front().phase == Phase::release;
    if (is_late && !waits_for_a_guard(have, want)) {
      for (int source = 0; source < 5; ++source) {
        RC_ASSERT(is_held_back(have, source) || !is_held_back(want, source));
      }
      RC_ASSERT(keeps_order(have.insert, want.insert));
      RC_ASSERT(keeps_order(have.append, want.append));
    }
    if (!steps.steps.empty()) RC_ASSERT(after(steps.steps.back()) == want);
  };
  const bool held = rc::check("guards", [&] {
    for (int i = 0; i < 20; ++i) {
      const SharedChain have = some_chain();
      guards(have, some_chain());
      guards(have, some_rest_of(have));
    }
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace plumbline::plan
