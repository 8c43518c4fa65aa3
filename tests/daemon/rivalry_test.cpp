#include "plumbline/daemon/rivalry.hpp"

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

std::vector<Key> held_back(const std::vector<Truce>& truces) {
  std::vector<Key> keys;
  for (const Truce& truce : truces) keys.push_back(truce.object.key);
  return keys;
}

std::vector<Truce> repair(Rivalry& rivalry, const Key& key, TimePoint now,
                          Stake stake = Stake::ordinary) {
  const Contested object{key, stake};
  return rivalry.repaired(std::span(&object, 1), now);
}

/// Repairs once a second until the object is held back. When it was, counted from `from`.
Duration fight(Rivalry& rivalry, const Key& key, TimePoint from) {
  for (auto at = 0s; at < 1h; at += 1s) {
    if (!repair(rivalry, key, from + at).empty()) return at;
  }
  return 1h;
}

TEST(Rivalry, HoldsBackWhatIsRepairedFiveTimesInAMinute) {
  Rivalry rivalry{Patience()};
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(repair(rivalry, route, begin + i * 10s), IsEmpty());
    EXPECT_THAT(rivalry.held(begin + i * 10s), IsEmpty());
  }
  const std::vector<Truce> truces = repair(rivalry, route, begin + 50s);
  EXPECT_THAT(held_back(truces), ElementsAre(route));
  EXPECT_EQ(truces.at(0).length, 1min);
  EXPECT_THAT(rivalry.held(begin + 50s), ElementsAre(Contested{route}));
  EXPECT_EQ(rivalry.next_release(begin + 50s), begin + 110s);
}

TEST(Rivalry, ToleratesRepairsThatAreRarer) {
  Rivalry rivalry{Patience()};
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(repair(rivalry, route, begin + i * 15s), IsEmpty());
  }
}

TEST(Rivalry, CountsEachObjectForItself) {
  Rivalry rivalry{Patience()};
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(repair(rivalry, route, begin + i * 1s), IsEmpty());
    EXPECT_THAT(repair(rivalry, other_route, begin + i * 1s), IsEmpty());
  }
  EXPECT_THAT(held_back(repair(rivalry, route, begin + 5s)), ElementsAre(route));
  EXPECT_THAT(rivalry.held(begin + 5s), ElementsAre(Contested{route}));
}

TEST(Rivalry, ReleasesWhenTheTruceIsOver) {
  Rivalry rivalry{Patience()};
  const TimePoint start = begin + fight(rivalry, route, begin);
  EXPECT_THAT(rivalry.held(start + 59s), ElementsAre(Contested{route}));
  EXPECT_THAT(rivalry.held(start + 60s), IsEmpty());
  EXPECT_EQ(rivalry.next_release(start + 60s), TimePoint::max());
}

TEST(Rivalry, HoldsBackForLongerEachTimeTheFightGoesOn) {
  Rivalry rivalry{Patience()};
  TimePoint now = begin + fight(rivalry, route, begin);
  for (const Duration expected : {2min, 4min, 8min, 16min, 32min, 60min, 60min}) {
    now = rivalry.next_release(now);
    EXPECT_THAT(repair(rivalry, route, now), IsEmpty()) << "the repair that ends the truce";
    const std::vector<Truce> truces = repair(rivalry, route, now + 1s);
    ASSERT_EQ(truces.size(), 1U);
    EXPECT_EQ(truces[0].length, expected);
    now += 1s;
  }
}

TEST(Rivalry, ForgivesAfterACalmAsLongAsTheTruce) {
  Rivalry rivalry{Patience()};
  const TimePoint released = begin + fight(rivalry, route, begin) + 1min;
  EXPECT_EQ(fight(rivalry, route, released + 2min), 4s);
  Rivalry remembering{Patience()};
  fight(remembering, route, begin);
  EXPECT_EQ(fight(remembering, route, released + 1min), 1s);
}

TEST(Rivalry, ATruceStartsTheCountAnew) {
  Patience patience;
  patience.first_truce = 10s;  // shorter than the minute in which repairs are counted
  Rivalry rivalry{patience};
  const TimePoint released = begin + fight(rivalry, route, begin) + 10s;
  EXPECT_THAT(repair(rivalry, route, released), IsEmpty());
}

TEST(Rivalry, LeavesAGuardForASecondAtMostHoweverLongTheFight) {
  Rivalry rivalry{Patience()};
  Duration held = Duration::zero();
  bool named = false;
  for (TimePoint now = begin; now < begin + 2h; now += 100ms) {
    if (rivalry.held(now).contains({route, Stake::guard})) {
      held += 100ms;
      EXPECT_LE(rivalry.next_release(now) - now, 1s);
      continue;
    }
    for (const Truce& truce : repair(rivalry, route, now, Stake::guard)) {
      EXPECT_EQ(truce.length, 1s);
      EXPECT_EQ(truce.first, !named) << "a fight is named once";
      named = true;
    }
  }
  EXPECT_GT(held, 1h) << "a rival in a loop does not wear the host out";
}

TEST(Rivalry, GivesUpTheOrderOfRulesAndNotTheRules) {
  Rivalry rivalry{Patience()};
  const TimePoint now = begin + fight(rivalry, route, begin);
  EXPECT_TRUE(rivalry.held(now).contains({route, Stake::ordinary}));
  EXPECT_FALSE(rivalry.held(now).contains({route, Stake::guard}));
}

TEST(Rivalry, ForgetsWhenTold) {
  Rivalry rivalry{Patience()};
  fight(rivalry, route, begin);
  rivalry.forget();
  EXPECT_THAT(rivalry.held(begin + 5s), IsEmpty());
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
