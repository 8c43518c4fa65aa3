// What may be left to a rival, and what may not.

#include "src/daemon/stake.hpp"

#include <gtest/gtest.h>

namespace plumbline::daemon {
namespace {

Step repair(const Resource& before, const Resource& after) {
  Step step;
  step.key = key_of(after);
  step.action = Action::update;
  step.before = before;
  step.after = after;
  step.why = Why::drifted;
  return step;
}

Step lost(const Resource& after) {
  Step step = repair(after, after);
  step.action = Action::create;
  step.before.reset();
  return step;
}

SharedChain forward() {
  SharedChain chain;
  chain.table = "filter";
  chain.name = "FORWARD";
  chain.insert = {"-i br0 -j APP", "-o br0 -j APP"};
  return chain;
}

Link link(LinkKind kind) {
  Link link;
  link.name = *IfName::parse("x0");
  link.kind = kind;
  return link;
}

Route route(const char* to, RouteType type) {
  Route route;
  route.to = *Prefix::parse(to);
  route.type = type;
  return route;
}

TEST(Stake, TheOrderOfRulesAmongThoseOfOthersIsNoGuard) {
  SharedChain moved = forward();
  moved.strays = moved.insert;
  moved.insert = {};
  moved.stray_places = {2, 3};
  moved.only_ours = false;
  EXPECT_EQ(stake_of(repair(moved, forward())), Stake::ordinary);
}

TEST(Stake, ARuleThatIsMissingOrOneTooManyIsAGuard) {
  SharedChain fewer = forward();
  fewer.insert = {"-i br0 -j APP"};
  EXPECT_EQ(stake_of(repair(fewer, forward())), Stake::guard);
  SharedChain more = forward();
  more.append = {"-j ACCEPT"};
  EXPECT_EQ(stake_of(repair(more, forward())), Stake::guard);
  SharedChain twice = forward();
  twice.append = {"-i br0 -j APP"};
  EXPECT_EQ(stake_of(repair(twice, forward())), Stake::guard);
  EXPECT_EQ(stake_of(lost(forward())), Stake::guard);
}

TEST(Stake, APolicyIsAGuard) {
  SharedChain open = forward();
  open.policy = "ACCEPT";
  SharedChain closed = forward();
  closed.policy = "DROP";
  EXPECT_EQ(stake_of(repair(open, closed)), Stake::guard);
}

TEST(Stake, ChainsSysctlsAndPolicyRulesAreGuards) {
  EXPECT_EQ(stake_of(lost(Chain{Family::bridge, "nat", "APP", {"-j DROP"}, true})), Stake::guard);
  EXPECT_EQ(stake_of(lost(Sysctl{"net/ipv4/ip_forward", "0"})), Stake::guard);
  EXPECT_EQ(stake_of(lost(Rule())), Stake::guard);
}

TEST(Stake, TapsBridgesAndPortsAreGuardsAndOtherLinksAreNot) {
  EXPECT_EQ(stake_of(lost(link(LinkKind::tap))), Stake::guard);
  EXPECT_EQ(stake_of(lost(link(LinkKind::bridge))), Stake::guard);
  EXPECT_EQ(stake_of(lost(link(LinkKind::physical))), Stake::ordinary);
  Link port = link(LinkKind::physical);
  port.master = *IfName::parse("br0");
  EXPECT_EQ(stake_of(repair(link(LinkKind::physical), port)), Stake::guard);
}

TEST(Stake, OfRoutesOnlyAKillSwitchIsAGuard) {
  EXPECT_EQ(stake_of(lost(route("0.0.0.0/0", RouteType::unreachable))), Stake::guard);
  EXPECT_EQ(stake_of(lost(route("0.0.0.0/0", RouteType::unicast))), Stake::ordinary);
  EXPECT_EQ(stake_of(lost(route("10.9.0.0/16", RouteType::blackhole))), Stake::ordinary);
}

}  // namespace
}  // namespace plumbline::daemon
