// What a plan may have changed, with all that the kernel changes along with it.

#include "plumbline/kernel/reach.hpp"

#include <gtest/gtest.h>

namespace plumbline::kernel {
namespace {

IfName name(const char* text) { return *IfName::parse(text); }

Link link(const char* text) {
  Link link;
  link.name = name(text);
  link.kind = LinkKind::bridge;
  link.up = true;
  return link;
}

Address address(const char* on, const char* text) {
  Address address;
  address.link = name(on);
  address.local = *InterfaceAddress::parse(text);
  return address;
}

Route route(const char* to, const char* dev) {
  Route route;
  route.to = *Prefix::parse(to);
  route.nexthops.emplace_back();
  route.nexthops.back().dev = name(dev);
  return route;
}

Reach reach_of(std::optional<Resource> before, std::optional<Resource> after) {
  Step step;
  step.key = key_of(before ? *before : *after);
  step.before = std::move(before);
  step.after = std::move(after);
  Plan plan;
  plan.steps.push_back(std::move(step));
  return Reach(plan);
}

TEST(Reach, HasWhatIsOnALinkThatIsChangedAndNotWhatIsOnAnother) {
  Link other = link("br0");
  other.mtu = 1400;
  const Reach reach = reach_of(link("br0"), other);
  EXPECT_TRUE(reach.has(address("br0", "10.0.0.1/24")));
  EXPECT_TRUE(reach.has(route("10.9.0.0/16", "br0")));
  EXPECT_FALSE(reach.has(address("br1", "10.0.0.1/24")));
  EXPECT_FALSE(reach.has(route("10.9.0.0/16", "br1")));
  EXPECT_FALSE(reach.has(link("br1")));
}

TEST(Reach, HasTheBridgeOfAPortThatComes) {
  Link port = link("tap0");
  port.master = name("br0");
  EXPECT_TRUE(reach_of(std::nullopt, port).has(link("br0")));
}

TEST(Reach, HasAllOnLinksWhereOneGoesOrGoesDown) {
  Link down = link("br0");
  down.up = false;
  for (const Reach& reach : {reach_of(link("br0"), std::nullopt), reach_of(link("br0"), down)}) {
    EXPECT_TRUE(reach.has(link("vlan7")));
    EXPECT_TRUE(reach.has(route("10.9.0.0/16", "vlan7")));
    EXPECT_FALSE(reach.has(Sysctl{"net/ipv4/ip_forward", "1"}));
  }
}

TEST(Reach, HasRoutesFromAnAddressWhereverTheyLeave) {
  const Reach reach = reach_of(address("br0", "10.0.0.1/24"), std::nullopt);
  Route from = route("10.9.0.0/16", "eth0");
  EXPECT_FALSE(reach.has(from));
  from.src = IpAddress::parse("10.0.0.1");
  EXPECT_TRUE(reach.has(from));
}

TEST(Reach, HasOnlyItselfOfARoute) {
  const Reach reach = reach_of(std::nullopt, route("10.9.0.0/16", "eth0"));
  EXPECT_TRUE(reach.has(route("10.9.0.0/16", "eth1"))) << "the same key";
  EXPECT_FALSE(reach.has(route("10.8.0.0/16", "eth0")));
  EXPECT_FALSE(reach.has(address("eth0", "10.0.0.1/24")));
}

TEST(Reach, HasWhatASysctlTakesAlong) {
  const Reach one = reach_of(Sysctl{"net/ipv6/conf/eth0/disable_ipv6", "0"},
                             Sysctl{"net/ipv6/conf/eth0/disable_ipv6", "1"});
  EXPECT_TRUE(one.has(address("eth0", "2001:db8::1/64")));
  EXPECT_FALSE(one.has(address("eth1", "2001:db8::1/64")));
  const Reach all = reach_of(Sysctl{"net/ipv6/conf/all/disable_ipv6", "0"},
                             Sysctl{"net/ipv6/conf/all/disable_ipv6", "1"});
  EXPECT_TRUE(all.has(address("eth1", "2001:db8::1/64")));
  const Reach forwarding =
      reach_of(Sysctl{"net/ipv4/ip_forward", "0"}, Sysctl{"net/ipv4/ip_forward", "1"});
  EXPECT_TRUE(forwarding.has(Sysctl{"net/ipv4/conf/eth0/forwarding", "0"}));
  EXPECT_FALSE(forwarding.has(address("eth0", "2001:db8::1/64")));
}

}  // namespace
}  // namespace plumbline::kernel
