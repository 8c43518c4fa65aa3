#include "src/daemon/flap_backoff.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::daemon {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const TimePoint begin = TimePoint() + 1000h;

Key link_key(const char* name) { return Link::Key{*IfName::parse(name)}; }
Key address_key(const char* link) {
  return Address::Key{*IfName::parse(link), *IpAddress::parse("10.0.0.1"), 24, {}};
}
Key route_key(const char* to) {
  return Route::Key{Family::inet, main_table, *Prefix::parse(to), 0, 0};
}

const Key route = route_key("10.9.0.0/16");
const Key other_route = route_key("10.8.0.0/16");

std::vector<Key> held_back(const std::vector<Backoff>& backoffs) {
  std::vector<Key> keys;
  for (const Backoff& backoff : backoffs) keys.push_back(backoff.object.key);
  return keys;
}

std::vector<Backoff> repair(FlapBackoff& flap_backoff, const Key& key, TimePoint now,
                            Stake stake = Stake::ordinary) {
  const Contested object{key, stake};
  return flap_backoff.repaired(std::span(&object, 1), now);
}

/// Repairs once a second until the object is held back. When it was, counted from `from`.
Duration fight(FlapBackoff& flap_backoff, const Key& key, TimePoint from) {
  for (auto at = 0s; at < 1h; at += 1s) {
    if (!repair(flap_backoff, key, from + at).empty()) return at;
  }
  return 1h;
}

TEST(FlapBackoff, HoldsBackWhatIsRepairedFiveTimesInAMinute) {
  FlapBackoff flap_backoff{FlapLimits()};
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(repair(flap_backoff, route, begin + i * 10s), IsEmpty());
    EXPECT_THAT(flap_backoff.held(begin + i * 10s), IsEmpty());
  }
  const std::vector<Backoff> backoffs = repair(flap_backoff, route, begin + 50s);
  EXPECT_THAT(held_back(backoffs), ElementsAre(route));
  EXPECT_EQ(backoffs.at(0).length, 1min);
  EXPECT_THAT(flap_backoff.held(begin + 50s), ElementsAre(Contested{route}));
  EXPECT_EQ(flap_backoff.next_release(begin + 50s), begin + 110s);
}

TEST(FlapBackoff, ToleratesRepairsThatAreRarer) {
  FlapBackoff flap_backoff{FlapLimits()};
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(repair(flap_backoff, route, begin + i * 15s), IsEmpty());
  }
}

TEST(FlapBackoff, CountsEachObjectForItself) {
  FlapBackoff flap_backoff{FlapLimits()};
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(repair(flap_backoff, route, begin + i * 1s), IsEmpty());
    EXPECT_THAT(repair(flap_backoff, other_route, begin + i * 1s), IsEmpty());
  }
  EXPECT_THAT(held_back(repair(flap_backoff, route, begin + 5s)), ElementsAre(route));
  EXPECT_THAT(flap_backoff.held(begin + 5s), ElementsAre(Contested{route}));
}

TEST(FlapBackoff, ReleasesWhenTheTimeIsUp) {
  FlapBackoff flap_backoff{FlapLimits()};
  const TimePoint start = begin + fight(flap_backoff, route, begin);
  EXPECT_THAT(flap_backoff.held(start + 59s), ElementsAre(Contested{route}));
  EXPECT_THAT(flap_backoff.held(start + 60s), IsEmpty());
  EXPECT_EQ(flap_backoff.next_release(start + 60s), TimePoint::max());
}

TEST(FlapBackoff, HoldsBackForLongerEachTimeTheFightGoesOn) {
  FlapBackoff flap_backoff{FlapLimits()};
  TimePoint now = begin + fight(flap_backoff, route, begin);
  for (const Duration expected : {2min, 4min, 8min, 16min, 32min, 60min, 60min}) {
    now = flap_backoff.next_release(now);
    EXPECT_THAT(repair(flap_backoff, route, now), IsEmpty()) << "the repair that ends the backoff";
    const std::vector<Backoff> backoffs = repair(flap_backoff, route, now + 1s);
    ASSERT_EQ(backoffs.size(), 1U);
    EXPECT_EQ(backoffs[0].length, expected);
    now += 1s;
  }
}

TEST(FlapBackoff, ForgivesAfterACalmAsLongAsTheBackoff) {
  FlapBackoff flap_backoff{FlapLimits()};
  const TimePoint released = begin + fight(flap_backoff, route, begin) + 1min;
  EXPECT_EQ(fight(flap_backoff, route, released + 2min), 4s);
  FlapBackoff remembering{FlapLimits()};
  fight(remembering, route, begin);
  EXPECT_EQ(fight(remembering, route, released + 1min), 1s);
}

TEST(FlapBackoff, ABackoffStartsTheCountAnew) {
  FlapLimits limits;
  limits.first_backoff = 10s;  // shorter than the minute in which repairs are counted
  FlapBackoff flap_backoff{limits};
  const TimePoint released = begin + fight(flap_backoff, route, begin) + 10s;
  EXPECT_THAT(repair(flap_backoff, route, released), IsEmpty());
}

TEST(FlapBackoff, LeavesAGuardForASecondAtMostHoweverLongTheFight) {
  FlapBackoff flap_backoff{FlapLimits()};
  Duration held = Duration::zero();
  bool named = false;
  for (TimePoint now = begin; now < begin + 2h; now += 100ms) {
    if (flap_backoff.held(now).contains({route, Stake::guard})) {
      held += 100ms;
      EXPECT_LE(flap_backoff.next_release(now) - now, 1s);
      continue;
    }
    for (const Backoff& backoff : repair(flap_backoff, route, now, Stake::guard)) {
      EXPECT_EQ(backoff.length, 1s);
      EXPECT_EQ(backoff.first, !named) << "a fight is named once";
      named = true;
    }
  }
  EXPECT_GT(held, 1h) << "a rival in a loop does not wear the host out";
}

TEST(FlapBackoff, GivesUpTheOrderOfRulesAndNotTheRules) {
  FlapBackoff flap_backoff{FlapLimits()};
  const TimePoint now = begin + fight(flap_backoff, route, begin);
  EXPECT_TRUE(flap_backoff.held(now).contains({route, Stake::ordinary}));
  EXPECT_FALSE(flap_backoff.held(now).contains({route, Stake::guard}));
}

TEST(FlapBackoff, ForgetsWhenTold) {
  FlapBackoff flap_backoff{FlapLimits()};
  fight(flap_backoff, route, begin);
  flap_backoff.forget();
  EXPECT_THAT(flap_backoff.held(begin + 5s), IsEmpty());
}

Step step(const Key& key, Action action, Why why, std::vector<std::size_t> needs = {}) {
  Step made;
  made.key = key;
  made.action = action;
  made.why = why;
  made.needs = std::move(needs);
  return made;
}

/// With ids as make_plan gives them: one per object.
Plan plan_of(std::vector<Step> steps) {
  Plan plan;
  std::map<Key, std::size_t> ids;
  for (Step& each : steps) {
    each.id = ids.try_emplace(each.key, ids.size()).first->second;
    plan.steps.push_back(std::move(each));
  }
  return plan;
}

std::vector<Key> keys_of(const Plan& plan) {
  std::vector<Key> keys;
  for (const Step& each : plan.steps) keys.push_back(each.key);
  return keys;
}

TEST(RepairsOf, NamesEachDriftedObjectOnce) {
  const Plan plan = plan_of({step(link_key("br0"), Action::remove, Why::drifted),
                             step(link_key("br0"), Action::create, Why::drifted, {0}),
                             step(route, Action::create, Why::added),
                             step(other_route, Action::remove, Why::unwanted)});
  EXPECT_THAT(repairs_of(plan), ElementsAre(Contested{link_key("br0")}));
}

TEST(Without, LeavesAPlanWithoutHeldObjectsAsItIs) {
  const Plan plan = plan_of({step(link_key("br0"), Action::create, Why::drifted),
                             step(address_key("br0"), Action::create, Why::drifted, {0})});
  std::vector<Key> left_out;
  EXPECT_EQ(without(plan, {Contested{route}}, left_out), plan);
  EXPECT_THAT(left_out, IsEmpty());
}

TEST(Without, LeavesOutARepairAndWhatNeedsIt) {
  const Plan plan = plan_of({step(link_key("br0"), Action::create, Why::drifted),
                             step(other_route, Action::create, Why::drifted),
                             step(address_key("br0"), Action::create, Why::drifted, {0}),
                             step(route, Action::create, Why::added, {2}),
                             step(link_key("br1"), Action::update, Why::changed, {1})});
  std::vector<Key> left_out;
  const Plan rest = without(plan, {Contested{link_key("br0")}}, left_out);
  EXPECT_THAT(keys_of(rest), ElementsAre(other_route, link_key("br1")));
  EXPECT_THAT(rest.steps.at(1).needs, ElementsAre(0U)) << "positions are those of the new plan";
  EXPECT_THAT(left_out, ElementsAre(link_key("br0"), address_key("br0"), route));
}

TEST(Without, AReplacementGoesWholeAndWithWhatItTakesDown) {
  Plan plan = plan_of({step(route, Action::remove, Why::cascade),
                       step(link_key("br0"), Action::remove, Why::drifted, {0}),
                       step(link_key("br0"), Action::create, Why::drifted, {1}),
                       step(route, Action::create, Why::cascade, {2}),
                       step(other_route, Action::create, Why::added)});
  plan.steps[0].cause = link_key("br0");
  plan.steps[3].cause = link_key("br0");
  std::vector<Key> left_out;
  EXPECT_THAT(keys_of(without(plan, {Contested{link_key("br0")}}, left_out)),
              ElementsAre(other_route));
}

TEST(Without, WhatIsTakenDownForAHeldObjectStaysUpEvenIfNothingElseTiesThem) {
  Plan plan = plan_of({step(link_key("br0"), Action::update, Why::drifted),
                       step(route, Action::create, Why::cascade)});
  plan.steps[1].cause = link_key("br0");
  std::vector<Key> left_out;
  EXPECT_THAT(keys_of(without(plan, {Contested{link_key("br0")}}, left_out)), IsEmpty());
}

TEST(Without, NoHalfOfAReplacementIsLeft) {
  const Plan plan = plan_of({step(route, Action::remove, Why::changed),
                             step(other_route, Action::create, Why::added, {0}),
                             step(link_key("br0"), Action::remove, Why::drifted, {0}),
                             step(link_key("br0"), Action::create, Why::drifted, {2}),
                             step(route, Action::create, Why::changed, {3})});
  std::vector<Key> left_out;
  EXPECT_THAT(keys_of(without(plan, {Contested{link_key("br0")}}, left_out)), IsEmpty());
}

TEST(Without, AChangedSpecIsCarriedOutOnAHeldObject) {
  const Plan plan = plan_of({step(route, Action::update, Why::changed)});
  std::vector<Key> left_out;
  EXPECT_EQ(without(plan, {Contested{route}}, left_out), plan);
}

TEST(Without, KeepsWhatIsBlockedAndRefused) {
  Plan plan = plan_of({step(route, Action::create, Why::drifted)});
  plan.blocked.push_back({other_route, {"link eth9"}, {}});
  plan.warnings.push_back({Code::foreign_equal, "equal", {}, {}});
  plan.refusals.push_back({Code::foreign_conflict, "in the way", {}, {}});
  std::vector<Key> left_out;
  const Plan rest = without(plan, {Contested{route}}, left_out);
  EXPECT_EQ(rest.blocked, plan.blocked);
  EXPECT_EQ(rest.warnings, plan.warnings);
  EXPECT_EQ(rest.refusals, plan.refusals);
}

TEST(GuardsOf, LeavesWhatDeniesAndCanBeDoneWithoutTheRest) {
  const Key chain = Chain::Key{Family::inet, "filter", "APP"};
  const Key other_chain = Chain::Key{Family::inet, "filter", "NEW"};
  Plan plan =
      plan_of({step(route, Action::create, Why::drifted), step(chain, Action::create, Why::drifted),
               step(other_chain, Action::create, Why::added),
               step(link_key("tap7"), Action::create, Why::drifted, {0})});
  plan.steps[1].after = Chain{Family::inet, "filter", "APP", {"-j DROP"}, true};
  plan.steps[3].after = Link();
  plan.refusals.push_back({Code::foreign_conflict, "in the way", {}, {}});
  const Plan guards = guards_of(plan);
  EXPECT_THAT(keys_of(guards), ElementsAre(chain));
  EXPECT_THAT(guards.refusals, IsEmpty()) << "of something else";
}

}  // namespace
}  // namespace plumbline::daemon
