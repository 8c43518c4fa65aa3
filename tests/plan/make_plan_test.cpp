// What a plan says beyond the text that tests/golden/plan shows: whys, phases, guards.

#include <gtest/gtest.h>

#include "plumbline/memory/applied.hpp"
#include "src/plan/predict.hpp"
#include "src/report/plan_objects.hpp"
#include "tests/support/arbitrary.hpp"

namespace plumbline::plan {
namespace {

IfName name(const char* text) { return *IfName::parse(text); }

Link bridge(const char* text) {
  Link link;
  link.name = name(text);
  link.kind = LinkKind::bridge;
  link.up = true;
  link.alias = "";
  return link;
}

Address address(const char* link, const char* text) {
  Address address;
  address.link = name(link);
  address.local = *InterfaceAddress::parse(text);
  return address;
}

Route blackhole(const char* to) {
  Route route;
  route.to = *Prefix::parse(to);
  route.type = RouteType::blackhole;
  return route;
}

template <class... Ks>
State state_of(const Ks&... values) {
  State state;
  (state.of<Ks>().push_back(values), ...);
  return testing::marked(std::move(state));
}

Plan plan(const State& have, const State& want, const memory::Memory& memory = {},
          const Options& options = {}) {
  return make_plan(have, want, memory, {}, options);
}

TEST(MakePlan, CallsAWantedObjectThatIsGoneDriftedWhenTheSpecIsTheOneLastApplied) {
  const State want = state_of(blackhole("10.9.0.0/16"));
  memory::Memory memory;
  EXPECT_EQ(plan({}, want, memory).steps.at(0).why, Why::added);
  memory.applied["route inet main 10.9.0.0/16"] = memory::digest(want.of<Route>().front());
  EXPECT_EQ(plan({}, want, memory).steps.at(0).why, Why::drifted);
  memory.applied["route inet main 10.9.0.0/16"] ^= 1;
  EXPECT_EQ(plan({}, want, memory).steps.at(0).why, Why::added);
}

TEST(MakePlan, CallsAnUpdateChangedUnlessTheSpecIsTheOneLastApplied) {
  Route other = blackhole("10.9.0.0/16");
  other.type = RouteType::unreachable;
  const State want = state_of(blackhole("10.9.0.0/16"));
  memory::Memory memory;
  EXPECT_EQ(plan(state_of(other), want, memory).steps.at(0).why, Why::changed);
  memory.applied["route inet main 10.9.0.0/16"] = memory::digest(want.of<Route>().front());
  EXPECT_EQ(plan(state_of(other), want, memory).steps.at(0).why, Why::drifted);
}

TEST(MakePlan, CallsAnotherAssignmentOfAGuestChanged) {
  Link tap;
  tap.name = *IfName::parse("tapa");
  tap.kind = LinkKind::tap;
  tap.alias = "";
  tap.assignment = "br0/a/eth0,10.0.0.2/24,02:00:00:00:00:10,eth0";
  const State before = state_of(tap);
  tap.assignment = "br0/a/eth0,10.0.0.3/24,02:00:00:00:00:10,eth0";
  const State want = state_of(tap);
  memory::Memory memory;
  memory.applied["link tapa"] = memory::digest(before.of<Link>().front());
  EXPECT_EQ(plan(before, want, memory).steps.at(0).why, Why::changed);
  EXPECT_EQ(plan(want, before, memory).steps.at(0).why, Why::drifted);
}

TEST(MakePlan, PutsASysctlBackOnceItIsNoLongerWanted) {
  State have;
  have.of<Sysctl>().push_back({"net/ipv4/ip_forward", "1"});
  memory::Memory memory;
  memory.earlier.of<Sysctl>().push_back({"net/ipv4/ip_forward", "0"});
  const Plan back = plan(have, state_of(blackhole("10.9.0.0/16")), memory);
  ASSERT_EQ(back.steps.size(), 2U);
  EXPECT_EQ(back.steps[1].action, Action::update);
  EXPECT_EQ(back.steps[1].why, Why::unwanted);
  EXPECT_EQ(std::get<Sysctl>(*back.steps[1].after).value, "0");
}

TEST(MakePlan, LeavesASysctlAloneThatWasNeverSet) {
  State have;
  have.of<Sysctl>().push_back({"net/ipv4/ip_forward", "1"});
  EXPECT_TRUE(plan(have, {}).steps.empty());
}

TEST(MakePlan, PutsEachSettingOfAPhysicalLinkBackThatTheSpecLeavesOpenAgain) {
  Link have;
  have.name = name("eth0");
  have.up = true;
  have.mtu = 1400;
  have.tx_queue_length = 77;
  have.alias = "";
  State state;
  state.of<Link>().push_back(have);
  memory::Memory memory;
  Link earlier;
  earlier.name = have.name;
  earlier.mtu = 1500;
  earlier.tx_queue_length = 1000;
  memory.earlier.of<Link>().push_back(earlier);
  Link want;
  want.name = have.name;
  want.mtu = 1400;
  const Plan back = plan(state, state_of(want), memory);
  ASSERT_EQ(back.steps.size(), 1U);
  const auto& after = std::get<Link>(*back.steps[0].after);
  EXPECT_EQ(after.mtu, 1400U);
  EXPECT_EQ(after.tx_queue_length, 1000U);
}

TEST(MakePlan, RefusesToChangeARouteOfOursBesideOneOfTheSameIdentity) {
  Route foreign = blackhole("10.9.0.0/16");
  foreign.protocol = 4;
  Route ours = blackhole("10.9.0.0/16");
  ours.type = RouteType::prohibit;
  const State want = state_of(blackhole("10.9.0.0/16"));
  for (const bool first : {true, false}) {
    State have = state_of(ours);
    auto& routes = have.of<Route>();
    routes.insert(first ? routes.begin() : routes.end(), foreign);
    const Plan refused = plan(have, want);
    ASSERT_EQ(refused.refusals.size(), 1U);
    EXPECT_EQ(refused.refusals[0].code, Code::foreign_conflict);
    EXPECT_TRUE(plan(have, state_of(ours)).refusals.empty()) << "nothing to change";
    EXPECT_EQ(plan(have, {}).steps.at(0).action, Action::remove);
  }
}

TEST(MakePlan, TakesAnEmptyChainOfAWantedNameButNotAFullOne) {
  Chain there{Family::inet, "filter", "APP", {}, false};
  State have;
  have.of<Chain>().push_back(there);
  const State want = state_of(Chain{Family::inet, "filter", "APP", {"-j DROP"}, false});
  EXPECT_TRUE(plan(have, want).refusals.empty());
  EXPECT_EQ(plan(have, want).steps.at(0).action, Action::update);
  have.of<Chain>().front().rules = {"-j ACCEPT"};
  const Plan refused = plan(have, want);
  ASSERT_EQ(refused.refusals.size(), 1U);
  EXPECT_EQ(refused.refusals[0].code, Code::foreign_conflict);
}

TEST(MakePlan, GuardsComeFirstAndAreReleasedLast) {
  const State host =
      state_of(bridge("br0"), Chain{Family::inet, "filter", "APP", {"-j DROP"}, false});
  const Plan up = plan({}, host);
  EXPECT_EQ(up.steps.front().phase, Phase::guard);
  EXPECT_EQ(up.steps.back().phase, Phase::main);
  const Plan down = plan(host, {}, {}, {.mark = {}, .allow_empty = true});
  EXPECT_EQ(down.steps.front().phase, Phase::main);
  EXPECT_EQ(down.steps.back().phase, Phase::release);
}

TEST(MakePlan, RefusesToRemoveEverythingUnlessAllowed) {
  const State have = state_of(blackhole("10.9.0.0/16"));
  ASSERT_EQ(plan(have, {}).refusals.size(), 1U);
  EXPECT_EQ(plan(have, {}).refusals[0].code, Code::would_remove_everything);
  EXPECT_TRUE(plan(have, {}, {}, {.mark = {}, .allow_empty = true}).refusals.empty());
  EXPECT_TRUE(plan({}, {}).refusals.empty());
}

TEST(MakePlan, RemovesALinkWithAQueueingDisciplineOnlyWhenTold) {
  State have = state_of(bridge("br0"));
  have.of<Link>().front().has_qdisc = true;
  Options options{.mark = {}, .allow_empty = true};
  ASSERT_EQ(plan(have, {}, {}, options).refusals.size(), 1U);
  EXPECT_EQ(plan(have, {}, {}, options).refusals[0].code, Code::foreign_dependents);
  options.take_foreign = true;
  EXPECT_TRUE(plan(have, {}, {}, options).refusals.empty());
}

TEST(MakePlan, DoesNotCountWhatTheKernelMakesItselfAsADependent) {
  State have = state_of(bridge("br0"));
  Address link_local = address("br0", "fe80::1/64");
  link_local.protocol = 3;
  have.of<Address>().push_back(link_local);
  Address ours = address("br0", "10.1.0.1/24");
  ours.protocol = Mark().protocol;
  have.of<Address>().push_back(ours);
  Route connected = blackhole("10.1.0.0/24");
  connected.type = RouteType::unicast;
  connected.protocol = 2;
  connected.nexthops.push_back({std::nullopt, name("br0"), 1, false});
  have.of<Route>().push_back(connected);
  const Plan gone = plan(have, {}, {}, {.mark = {}, .allow_empty = true});
  EXPECT_TRUE(gone.refusals.empty());
  EXPECT_EQ(gone.steps.size(), 2U);
}

TEST(MakePlan, ComesBeforeTheKernelToARouteOfWhichOneNexthopIsDeadAlready) {
  Route both = blackhole("10.9.0.0/16");
  both.type = RouteType::unicast;
  for (const char* link : {"br1", "x0"}) {
    both.nexthops.push_back({IpAddress::parse("10.0.1.254"), name(link), 1, true});
  }
  both.nexthops[0].observed.dead = true;
  State have = state_of(bridge("br1"), bridge("x0"), address("x0", "10.0.0.1/24"), both);
  Link other = bridge("x0");
  other.kind = LinkKind::ifb;
  const State want = state_of(bridge("br1"), other, blackhole("10.9.0.0/16"));
  const auto takes_the_route_first = [&] {
    const Plan found = plan(have, want);
    for (const Step& step : found.steps) {
      if (std::holds_alternative<Route::Key>(step.key)) return true;
      if (std::holds_alternative<Address::Key>(step.key)) return false;
    }
    return false;
  };
  EXPECT_TRUE(takes_the_route_first());
  have.of<Route>().front().nexthops[0].observed.dead = false;
  EXPECT_FALSE(takes_the_route_first()) << "it would stay, and has no hurry";
}

TEST(MakePlan, KeepsASecondaryThatThePrimaryWouldTakeUnlessItIsPromoted) {
  State have =
      state_of(bridge("br0"), address("br0", "10.1.0.1/24"), address("br0", "10.1.0.2/24"));
  have.of<Address>()[0].secondary = false;
  have.of<Address>()[1].secondary = true;
  const State want = state_of(bridge("br0"), address("br0", "10.1.0.2/24"));
  EXPECT_EQ(report::summary(plan(have, want)), (report::Summary{0, 0, 1, 1, 0}));
  have.of<Link>().front().promote_secondaries = true;
  EXPECT_EQ(report::summary(plan(have, want)), (report::Summary{0, 0, 0, 1, 0}));
}

TEST(MakePlan, TakesTwentyThousandRoutesInStride) {
  State want;
  for (std::uint32_t i = 0; i < 20000; ++i) {
    const std::string to =
        "10." + std::to_string(i >> 8U) + '.' + std::to_string(i & 255U) + ".0/24";
    want.of<Route>().push_back(blackhole(to.c_str()));
  }
  want = testing::marked(std::move(want));
  const Plan all = plan({}, want);
  EXPECT_EQ(all.steps.size(), 20000U);
  EXPECT_TRUE(plan(predict({}, all), want).empty());
}

}  // namespace
}  // namespace plumbline::plan
