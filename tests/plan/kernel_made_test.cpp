// What the kernel makes by itself goes with a link without a word; what others put there is refused
// by name, whatever they say that it is.

#include <gtest/gtest.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "plumbline/plan/plan.hpp"
#include "tests/support/arbitrary.hpp"

namespace plumbline::plan {
namespace {

const IfName br0 = *IfName::parse("br0");

Address address(const char* text, std::uint8_t protocol = IFAPROT_UNSPEC) {
  Address address;
  address.link = br0;
  address.local = *InterfaceAddress::parse(text);
  address.protocol = protocol;
  return address;
}

Address leased(const char* text) {
  Address lease = address(text);
  lease.permanent = false;
  return lease;
}

Route route(const char* to, std::uint8_t protocol, const char* via = nullptr) {
  Route route;
  route.to = *Prefix::parse(to);
  route.metric = route.family() == Family::inet6 ? 1024 : 0;
  route.protocol = protocol;
  Nexthop nexthop;
  nexthop.dev = br0;
  if (via != nullptr) nexthop.via = *IpAddress::parse(via);
  route.nexthops.push_back(nexthop);
  return route;
}

/// A bridge of ours, on a kernel that says of its addresses that they are its own.
State host() {
  Link bridge;
  bridge.name = br0;
  bridge.kind = LinkKind::bridge;
  bridge.up = true;
  bridge.alias = "";
  State state;
  state.of<Link>().push_back(bridge);
  state = testing::marked(std::move(state));
  state.of<Address>().push_back(address("10.1.0.1/24", Mark().protocol));
  state.of<Address>().push_back(address("fe80::2/64", IFAPROT_KERNEL_LL));
  return state;
}

/// Why the bridge cannot go while `theirs` is there.
template <class K>
std::string refusal(const K& theirs, State have = host()) {
  have.of<K>().push_back(theirs);
  const Plan plan = make_plan(have, {}, {}, {}, {.mark = {}, .allow_empty = true});
  std::string text;
  for (const Diagnostic& each : plan.refusals) text += format(each) + "\n";
  return text;
}

TEST(KernelMade, AnAddressWithALifetimeIsSomebodys) {
  EXPECT_NE(refusal(leased("10.5.0.9/24")).find("address br0 10.5.0.9/24"), std::string::npos);
  EXPECT_NE(refusal(leased("10.1.0.9/24")).find("address br0 10.1.0.9/24"), std::string::npos);
  EXPECT_NE(refusal(leased("2001:db8::9/64")).find("address br0 2001:db8::9"), std::string::npos);
}

TEST(KernelMade, ALeaseThatIsASecondaryOfOursIsSomebodys) {
  State have = host();
  Address lease = leased("10.1.0.9/24");
  lease.secondary = true;
  have.of<Address>().push_back(lease);
  State want = host();
  want.of<Address>().clear();
  const Plan plan = make_plan(have, want, {}, {}, {});
  ASSERT_EQ(plan.refusals.size(), 1U);
  EXPECT_NE(plan.refusals[0].message.find("address br0 10.1.0.9/24"), std::string::npos);
}

TEST(KernelMade, ALinkLocalAddressByHandIsSomebodys) {
  EXPECT_NE(refusal(address("fe80::1/64")), "");
  EXPECT_NE(refusal(address("169.254.1.1/16")), "");
  EXPECT_EQ(refusal(address("fe80::1/64", IFAPROT_KERNEL_LL)), "");
}

TEST(KernelMade, OnKernelsThatDoNotTellALinkLocalAddressMayBeTheKernels) {
  State old = host();
  old.of<Address>().pop_back();
  EXPECT_EQ(refusal(address("fe80::1/64"), old), "");
  EXPECT_NE(refusal(leased("10.5.0.9/24"), old), "");
  Address from_router = leased("2001:db8::9/64");
  EXPECT_NE(refusal(from_router, old), "");
  from_router.chosen_flags = IFA_F_MANAGETEMPADDR;
  EXPECT_EQ(refusal(from_router, old), "");
}

TEST(KernelMade, WhatARouterGaveAndTemporaryAddressesAreTheKernels) {
  Address from_router = address("2001:db8::9/64", IFAPROT_KERNEL_RA);
  from_router.permanent = false;
  EXPECT_EQ(refusal(from_router), "");
  Address temporary = leased("2001:db8::77/64");
  temporary.temporary = true;
  EXPECT_EQ(refusal(temporary), "");
  EXPECT_NE(refusal(address("10.5.0.9/24", IFAPROT_KERNEL_RA)), "") << "no router gives IPv4";
  EXPECT_NE(refusal(address("10.5.0.9/24", IFAPROT_KERNEL_LO)), "");
}

TEST(KernelMade, ARouteOfTheKernelFollowsFromAnAddress) {
  EXPECT_EQ(refusal(route("10.1.0.0/24", RTPROT_KERNEL)), "");
  EXPECT_EQ(refusal(route("fe80::/64", RTPROT_KERNEL)), "");
  Route local = route("10.1.0.1/32", RTPROT_KERNEL);
  local.type = RouteType::local;
  EXPECT_EQ(refusal(local), "");
  EXPECT_NE(refusal(route("10.77.0.0/24", RTPROT_KERNEL)), "") << "no address is in it";
  EXPECT_NE(refusal(route("10.77.0.0/24", RTPROT_KERNEL, "10.1.0.7")), "") << "a gateway";
  local.to = *Prefix::parse("10.1.0.77/32");
  EXPECT_NE(refusal(local), "");
}

TEST(KernelMade, ANetworkBesideAnAddressThatBringsNoneIsSomebodys) {
  State have = host();
  Address bare = address("10.2.0.1/24", Mark().protocol);
  bare.chosen_flags = IFA_F_NOPREFIXROUTE;
  have.of<Address>().push_back(bare);
  EXPECT_NE(refusal(route("10.2.0.0/24", RTPROT_KERNEL), have), "");
}

TEST(KernelMade, ARoutersRoutesEndSomeTimeAndAreOfIpv6) {
  Route from_router = route("default", RTPROT_RA, "10.1.0.7");
  EXPECT_NE(refusal(from_router), "") << "IPv4";
  from_router = route("::/0", RTPROT_RA, "fe80::7");
  EXPECT_NE(refusal(from_router), "") << "for ever";
  from_router.has_more = true;
  EXPECT_EQ(refusal(from_router), "");
  EXPECT_NE(refusal(route("10.77.0.0/24", RTPROT_REDIRECT)), "");
  EXPECT_NE(refusal(route("10.77.0.0/24", RTPROT_DHCP, "10.1.0.7")), "");
}

}  // namespace
}  // namespace plumbline::plan
