// What a spec cannot say of an observed state, where no kernel need have it.

#include "plumbline/spec/expressible.hpp"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

namespace plumbline::spec {
namespace {

std::vector<std::string> lines(const Expressible& expressible) {
  std::vector<std::string> lines;
  for (const LeftOut& object : expressible.left_out) {
    lines.push_back(object.what + ": " + object.why);
  }
  return lines;
}

Route route(std::string_view to, std::uint8_t protocol) {
  Route route;
  route.to = *Prefix::parse(to);
  route.table = main_table;
  route.type = RouteType::blackhole;
  route.protocol = protocol;
  return route;
}

TEST(Expressible, WhatTheKernelMakesIsCountedAndNotNamed) {
  State state;
  state.of<Route>() = {route("10.0.0.0/8", RTPROT_KERNEL), route("10.1.0.0/16", RTPROT_BOOT),
                       route("2001:db8::/64", RTPROT_RA)};
  state.of<Route>().back().has_more = true;  // it ends some time
  Rule of_kernel;
  of_kernel.protocol = RTPROT_KERNEL;
  state.of<Rule>() = {of_kernel};
  const Expressible result = expressible_part(state, true);
  EXPECT_EQ(lines(result),
            std::vector<std::string>{"2 routes, 1 rule: the kernel makes them by itself"});
  ASSERT_EQ(result.state.of<Route>().size(), 1U);
  EXPECT_TRUE(result.state.of<Rule>().empty());
}

TEST(Expressible, TheKeysOfATunnelAreTold) {
  State state;
  WireGuard device;
  device.name = *IfName::parse("wg0");
  state.of<WireGuard>() = {device};
  const Expressible result = expressible_part(state, false);
  EXPECT_EQ(result.state.of<WireGuard>().size(), 1U);
  EXPECT_EQ(lines(result),
            std::vector<std::string>{
                "wireguard wg0: its secret keys: put files of keys in the place of fingerprints"});
}

TEST(Expressible, ALinkOfAKindThatIsNotAvailableIsConfiguredOnly) {
  State state;
  Link bond;
  bond.name = *IfName::parse("bond0");
  bond.kind = LinkKind::bond;
  bond.mtu = 9000;
  state.of<Link>() = {bond};
  const Expressible result = expressible_part(state, true);
  EXPECT_EQ(lines(result),
            std::vector<std::string>{"link bond0: a spec cannot say bond; here as physical"});
  EXPECT_EQ(result.state.of<Link>().front().kind, LinkKind::physical);
  EXPECT_EQ(result.state.of<Link>().front().mtu, 9000U);
}

TEST(Expressible, RulesOfOthersAreToldOfOnlyWhereTheyAreAskedFor) {
  State state;
  SharedChain chain;
  chain.table = "filter";
  chain.name = "FORWARD";
  chain.policy = "DROP";
  chain.only_ours = false;
  state.of<SharedChain>() = {chain};
  EXPECT_EQ(lines(expressible_part(state, true)),
            std::vector<std::string>{"shared inet filter FORWARD: the rules of others in it"});
  EXPECT_TRUE(expressible_part(state, false).left_out.empty());
}

}  // namespace
}  // namespace plumbline::spec
