// What the kernel makes by itself is known before it stands in the way: a plan refuses what could
// not be made, instead of being rolled back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include "plumbline/plan/plan.hpp"
#include "tests/support/arbitrary.hpp"

namespace plumbline::plan {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

IfName name(const char* text) { return *IfName::parse(text); }

Link bridge(const char* text, bool up = true) {
  Link link;
  link.name = name(text);
  link.kind = LinkKind::bridge;
  link.up = up;
  link.alias = "";
  return link;
}

Address address(const char* link, const char* text) {
  Address address;
  address.link = name(link);
  address.local = *InterfaceAddress::parse(text);
  return address;
}

Route route(const char* to, const char* dev, TableId table = main_table, std::uint32_t metric = 0) {
  Route route;
  route.to = *Prefix::parse(to);
  route.table = table;
  route.metric = metric;
  route.type = table == local_table ? RouteType::local : RouteType::unicast;
  route.scope = RT_SCOPE_LINK;
  route.nexthops = {Nexthop{.via = {}, .dev = name(dev)}};
  return route;
}

template <class... Ks>
State state_of(const Ks&... values) {
  State state;
  (state.of<Ks>().push_back(values), ...);
  return testing::marked(std::move(state));
}

std::vector<std::string> refusals(const State& have, const State& want) {
  std::vector<std::string> lines;
  for (const Diagnostic& refusal : make_plan(have, want, {}, {}, {}).refusals) {
    lines.push_back(format(refusal));
  }
  return lines;
}

std::vector<std::string> with(const Address& address, const Route& route) {
  return refusals({}, state_of(bridge("br0"), address, route));
}

TEST(MadeByKernel, ARouteOfTheNetworkOfAnAddressIsRefusedBeforehand) {
  const Address ipv4 = address("br0", "10.1.0.1/24");
  EXPECT_THAT(with(ipv4, route("10.1.0.0/24", "br0")),
              ElementsAre(AllOf(HasSubstr("FOREIGN_CONFLICT"), HasSubstr("made by the kernel"),
                                HasSubstr("address br0 10.1.0.1/24"))));
  EXPECT_THAT(with(ipv4, route("10.1.0.1/32", "br0", local_table)), ::testing::SizeIs(1));
  EXPECT_THAT(with(ipv4, route("10.1.0.255/32", "br0", local_table)), ::testing::SizeIs(1));
  const Address ipv6 = address("br0", "fd01::1/64");
  EXPECT_THAT(with(ipv6, route("fd01::/64", "br0", main_table, 256)), ::testing::SizeIs(1));
}

TEST(MadeByKernel, OtherRoutesBesideAnAddressAreNone) {
  const Address ipv4 = address("br0", "10.1.0.1/24");
  EXPECT_THAT(with(ipv4, route("10.1.0.0/24", "br0", main_table, 1)), IsEmpty());
  EXPECT_THAT(with(ipv4, route("10.1.0.0/24", "br0", TableId{100})), IsEmpty());
  EXPECT_THAT(with(ipv4, route("10.1.0.0/25", "br0")), IsEmpty());
  EXPECT_THAT(with(address("br0", "10.1.0.1/32"), route("10.1.0.1/32", "br0")), IsEmpty());
  EXPECT_THAT(with(address("br0", "fd01::1/64"), route("fd01::/64", "br0", main_table, 1024)),
              IsEmpty());
}

TEST(MadeByKernel, SettingALinkUpMakesThoseOfTheAddressesThatAreThere) {
  Link down = bridge("br0", false);
  State have = state_of(down, address("br0", "10.1.0.1/24"));
  const State want =
      state_of(bridge("br0"), address("br0", "10.1.0.1/24"), route("10.1.0.0/24", "br0"));
  EXPECT_THAT(refusals(have, want), ::testing::SizeIs(1));
  have = state_of(bridge("br0"), address("br0", "10.1.0.1/24"));
  EXPECT_THAT(refusals(have, want), IsEmpty()) << "somebody removed it: there is room";
}

TEST(MadeByKernel, ALinkOfTheAlternativeNameOfAnotherIsRefusedBeforehand) {
  Link other = bridge("eth7");
  other.altnames.names = {"enp0s7", "br0"};
  State have;
  have.of<Link>().push_back(other);
  EXPECT_THAT(refusals(have, state_of(bridge("br0"))),
              ElementsAre(AllOf(HasSubstr("FOREIGN_CONFLICT: link br0"),
                                HasSubstr("alternative name of eth7"))));
  EXPECT_THAT(refusals(have, state_of(bridge("br1"))), IsEmpty());
}

}  // namespace
}  // namespace plumbline::plan
