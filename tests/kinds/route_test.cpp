#include "plumbline/kinds/route.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "plumbline/wire/netlink.hpp"
#include "tests/kinds/on_kernel.hpp"

namespace plumbline {
namespace {

using test::read_spec;
using test::wanted;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Route route(const std::string& text) { return wanted<Route>(text); }

std::vector<std::string> errors(const std::string& text) { return read_spec<Route>(text).errors; }

TEST(RouteSpec, TakesEveryWord) {
  const Route full = route(R"({"to": "10.9.0.0/16", "via": "192.0.2.1", "dev": "eth0",
      "table": "uplink", "metric": 4294967295, "src": "192.0.2.10", "scope": "site",
      "onlink": true, "mtu": 1400, "advmss": 1360, "tos": "0x10", "family": "inet",
      "type": "unicast"})");
  EXPECT_EQ(full.table, TableId{100});
  EXPECT_EQ(full.metric, 4294967295U);
  EXPECT_EQ(format(full.src.value()), "192.0.2.10");
  EXPECT_EQ(full.scope, 200);
  ASSERT_EQ(full.nexthops.size(), 1U);
  EXPECT_TRUE(full.nexthops.front().onlink);
  EXPECT_EQ(full.mtu, 1400U);
  EXPECT_EQ(full.advmss, 1360U);
  EXPECT_EQ(full.tos, 0x10);
  EXPECT_EQ(full.protocol, 112);
  EXPECT_EQ(format(key(full)), "route inet 100 10.9.0.0/16 tos 0x10 metric 4294967295");
}

TEST(RouteSpec, ChoosesTheScopeAndTableThatIpChooses) {
  EXPECT_EQ(route(R"({"to": "10.0.0.0/8", "dev": "a"})").scope, 253);
  EXPECT_EQ(route(R"({"to": "10.0.0.0/8", "dev": "a", "scope": "global"})").scope, 0);
  EXPECT_EQ(route(R"({"to": "10.0.0.0/8", "via": "10.1.1.1"})").scope, 0);
  EXPECT_EQ(route(R"({"to": "10.0.0.0/8", "type": "blackhole"})").scope, 0);
  EXPECT_EQ(route(R"({"to": "fd00::/8", "dev": "a"})").scope, 0);
  const Route local = route(R"({"to": "10.0.0.0/8", "type": "local", "dev": "lo"})");
  EXPECT_EQ(local.scope, 254);
  EXPECT_EQ(local.table, local_table);
}

TEST(RouteSpec, TakesTheFamilyOfDefaultFromWhatTellsIt) {
  EXPECT_EQ(route(R"({"to": "default", "dev": "a"})").family(), Family::inet);
  EXPECT_EQ(route(R"({"to": "default", "dev": "a", "family": "inet6"})").family(), Family::inet6);
  EXPECT_EQ(route(R"({"to": "default", "via": "fd00::1"})").family(), Family::inet6);
  EXPECT_EQ(route(R"({"to": "default", "dev": "a", "src": "fd00::1"})").family(), Family::inet6);
  EXPECT_EQ(route(R"({"to": "default", "nexthops": [{"via": "fd00::1"}]})").family(),
            Family::inet6);
  EXPECT_EQ(route(R"({"to": "default", "via": "fd00::1", "family": "inet"})").family(),
            Family::inet);
}

TEST(RouteSpec, MakesOneIdentityOfTheMetricsThatTheKernelMakesOneOf) {
  const auto none = key(route(R"({"to": "fd00::/8", "dev": "a"})"));
  EXPECT_EQ(none, key(route(R"({"to": "fd00::/8", "dev": "a", "metric": 0})")));
  EXPECT_EQ(none, key(route(R"({"to": "fd00::/8", "dev": "a", "metric": 1024})")));
  EXPECT_NE(none, key(route(R"({"to": "fd00::/8", "dev": "a", "metric": 1})")));
  EXPECT_EQ(format(none), "route inet6 main fd00::/8");
}

TEST(RouteSpec, SortsNexthopsAndKeepsNoWeightOfAnOnlyOne) {
  EXPECT_EQ(
      route(
          R"({"to": "default", "nexthops": [{"via": "10.0.0.2", "weight": 2}, {"via": "10.0.0.1"}]})"),
      route(
          R"({"to": "default", "nexthops": [{"via": "10.0.0.1"}, {"via": "10.0.0.2", "weight": 2}]})"));
  EXPECT_EQ(route(R"({"to": "default", "nexthops": [{"via": "10.0.0.2", "weight": 2}]})"),
            route(R"({"to": "default", "via": "10.0.0.2"})"));
}

TEST(RouteSpec, RefusesWhatIsNoRoute) {
  const auto refused = ElementsAre(::testing::StartsWith("INVALID_ROUTE"));
  for (const char* text : {
           R"({"to": "10.0.0.1/8", "dev": "a"})",
           R"({"to": "example.org", "dev": "a"})",
           R"({"to": "10.0.0.0/8"})",
           R"({"to": "10.0.0.0/8", "type": "local"})",
           R"({"to": "10.0.0.0/8", "type": "local", "dev": "a", "scope": "global"})",
           R"({"to": "10.0.0.0/8", "type": "multicast", "dev": "a"})",
           R"({"to": "10.0.0.0/8", "type": "blackhole", "dev": "a"})",
           R"({"to": "10.0.0.0/8", "type": "prohibit", "nexthops": []})",
           R"({"to": "10.0.0.0/8", "type": "unreachable", "mtu": 1400})",
           R"({"to": "10.0.0.0/8", "nexthops": []})",
           R"({"to": "10.0.0.0/8", "nexthops": [{"weight": 1}]})",
           R"({"to": "10.0.0.0/8", "nexthops": [{"dev": "a"}], "dev": "a"})",
           R"({"to": "10.0.0.0/8", "nexthops": [{"dev": "a"}, {"dev": "a", "weight": 2}]})",
           R"({"to": "10.0.0.0/8", "dev": "a", "onlink": true})",
           R"({"to": "10.0.0.0/8", "via": "10.0.0.1", "onlink": true})",
           R"({"to": "10.0.0.0/8", "via": "0.0.0.0"})",
           R"({"to": "10.0.0.0/8", "via": "10.0.0.1/32"})",
           R"({"to": "10.0.0.0/8", "via": "fe80::1"})",
           R"({"to": "10.0.0.0/8", "via": "10.0.0.1", "scope": "link"})",
           R"({"to": "10.0.0.0/8", "dev": "a", "scope": "nowhere"})",
           R"({"to": "10.0.0.0/8", "dev": "a", "scope": "far"})",
           R"({"to": "10.0.0.0/8", "dev": "a", "src": "fd00::1"})",
           R"({"to": "10.0.0.0/8", "dev": "a", "family": "inet6"})",
           R"({"to": "10.0.0.0/8", "dev": "a", "family": "ipv4"})",
           R"({"to": "10.0.0.0/8", "dev": "a", "table": "nobody"})",
           R"({"to": "10.0.0.0/8", "dev": "a", "table": "100"})",
           R"({"to": "10.0.0.0/8", "dev": "a", "tos": 3})",
           R"({"to": "10.0.0.0/8", "dev": "a", "tos": "low"})",
           R"({"to": "fd00::/8", "via": "10.0.0.1"})",
           R"({"to": "fd00::/8", "dev": "a", "tos": 16})",
           R"({"to": "fd00::/8", "dev": "a", "scope": "link"})",
           R"({"to": "fd00::/8", "nexthops": [{"dev": "a"}, {"via": "fd00::1"}]})",
       }) {
    EXPECT_THAT(errors(text), refused) << text;
  }
}

TEST(RouteSpec, ReportsTypesRangesAndKeysWithTheirPlaces) {
  EXPECT_THAT(errors(R"({"dev": "a"})"), ElementsAre("MISSING_KEY at "));
  EXPECT_THAT(errors(R"([])"), ElementsAre("WRONG_TYPE at "));
  EXPECT_THAT(errors(R"({"to": 1, "dev": "a"})"), ElementsAre("WRONG_TYPE at /to"));
  EXPECT_THAT(errors(R"({"to": "default", "dev": "a", "table": 0})"),
              ElementsAre("OUT_OF_RANGE at /table"));
  EXPECT_THAT(errors(R"({"to": "default", "dev": "a", "metric": -1})"),
              ElementsAre("OUT_OF_RANGE at /metric"));
  EXPECT_THAT(errors(R"({"to": "default", "dev": "a", "mtu": 65521})"),
              ElementsAre("OUT_OF_RANGE at /mtu"));
  EXPECT_THAT(errors(R"({"to": "default", "dev": "a/b"})"),
              ElementsAre("INVALID_INTERFACE_NAME at /dev"));
  EXPECT_THAT(errors(R"({"to": "default", "nexthops": {"via": "10.0.0.1"}})"),
              ElementsAre("WRONG_TYPE at /nexthops"));
  EXPECT_THAT(errors(R"({"to": "default", "nexthops": [{"via": "10.0.0.1", "weight": 257}]})"),
              ElementsAre("OUT_OF_RANGE at /nexthops/0/weight"));
  EXPECT_THAT(errors(R"({"to": "default", "dev": "a", "gateway": "10.0.0.1"})"),
              ElementsAre("UNKNOWN_KEY at /gateway"));
}

TEST(RouteSpec, ReportsEveryFaultOfAnEntry) {
  EXPECT_EQ(errors(R"({"to": "x", "via": "y", "dev": "a b", "table": 0, "metric": "1"})").size(),
            5U);
}

TEST(RouteNeeds, NamesLinksGatewaysAndTheSource) {
  const auto needs_of = [](const std::string& text) {
    std::vector<std::string> needed;
    for (const Need& need : needs(route(text))) needed.push_back(format(need));
    return needed;
  };
  EXPECT_THAT(needs_of(R"({"to": "default", "via": "192.0.2.1", "dev": "a", "src": "192.0.2.9"})"),
              ElementsAre("link a up", "a network with 192.0.2.1 on a", "address 192.0.2.9"));
  EXPECT_THAT(needs_of(R"({"to": "default", "via": "192.0.2.1", "dev": "a", "onlink": true})"),
              ElementsAre("link a up"));
  EXPECT_THAT(needs_of(R"({"to": "default", "via": "fe80::1", "dev": "a"})"),
              ElementsAre("link a up"));
  EXPECT_THAT(needs_of(R"({"to": "10.0.0.0/8", "type": "blackhole"})"), IsEmpty());
}

TEST(RouteComplete, TakesTheLinkOfAGatewayFromWhatIsThere) {
  const Route want = route(
      R"({"to": "default", "nexthops": [{"via": "10.0.0.1"}, {"via": "10.0.1.1", "dev": "b"}]})");
  const Route have = route(
      R"({"to": "default", "nexthops": [{"via": "10.0.0.1", "dev": "a"}, {"via": "10.0.1.1", "dev": "b"}]})");
  EXPECT_EQ(complete(want, have), have);
  const Route other = route(
      R"({"to": "default", "nexthops": [{"via": "10.0.0.9", "dev": "a"}, {"via": "10.0.1.1", "dev": "b"}]})");
  EXPECT_NE(complete(want, other), other);
}

TEST(RouteTransition, SaysWhatSuffers) {
  const Route plain = route(R"({"to": "fd00::/8", "dev": "a"})");
  const Route larger = route(R"({"to": "fd00::/8", "dev": "a", "mtu": 1400})");
  const Route moved = route(R"({"to": "fd00::/8", "dev": "b"})");
  EXPECT_EQ(transition(plain, plain), Transition{});
  EXPECT_EQ(transition(plain, larger), (Transition{Change::update, Disruption::nothing}));
  const Route stopped = route(R"({"to": "fd00::/8", "type": "blackhole"})");
  EXPECT_EQ(transition(plain, moved), (Transition{Change::update, Disruption::sessions}));
  EXPECT_EQ(transition(plain, stopped), (Transition{Change::update, Disruption::traffic}));
}

TEST(RouteDecode, RefusesAFailedDump) {
  std::vector<Route> out;
  EXPECT_THROW(Route::decode(Route::queries({}).front(), {5, "no", {}, {}}, {}, out),
               wire::Malformed);
}

// ---- properties

/// Names for the links a property speaks of.
LinkNames some_links() {
  LinkNames links;
  links.add(1, *IfName::parse("lo"));
  links.add(7, *IfName::parse("eth0"));
  links.add(9, *IfName::parse("br-lan.10"));
  return links;
}

rc::Gen<IpAddress> arbitrary_host(Family family) {
  return rc::gen::map(rc::gen::container<std::vector<std::uint8_t>>(
                          family == Family::inet ? 4 : 16, rc::gen::inRange<std::uint8_t>(1, 255)),
                      [](const std::vector<std::uint8_t>& bytes) {
                        auto address = IpAddress::from_bytes(std::as_bytes(std::span(bytes)));
                        return *address;
                      });
}

rc::Gen<Nexthop> arbitrary_nexthop(Family family, bool has_gateway) {
  return rc::gen::exec([=] {
    Nexthop nexthop;
    nexthop.dev = IfName::parse(*rc::gen::element<std::string>("lo", "eth0", "br-lan.10"));
    if (!has_gateway) return nexthop;
    const bool crossed = family == Family::inet && *rc::gen::arbitrary<bool>();
    nexthop.via = *arbitrary_host(crossed ? Family::inet6 : family);
    nexthop.onlink = *rc::gen::arbitrary<bool>();
    return nexthop;
  });
}

std::vector<Nexthop> some_nexthops(Family family) {
  const auto count = *rc::gen::inRange<std::size_t>(1, 4);
  std::vector<Nexthop> nexthops;
  while (nexthops.size() < count) {
    const bool has_gateway = count > 1 || *rc::gen::arbitrary<bool>();
    Nexthop nexthop = *arbitrary_nexthop(family, has_gateway);
    if (count > 1) nexthop.weight = *rc::gen::inRange<std::uint32_t>(1, 257);
    nexthops.push_back(nexthop);
  }
  std::ranges::sort(nexthops);
  const auto same_hop = [](const Nexthop& one, const Nexthop& other) {
    return one.via == other.via && one.dev == other.dev;
  };
  RC_PRE(std::ranges::adjacent_find(nexthops, same_hop) == nexthops.end());
  return nexthops;
}

/// Any route that a spec can ask for, as the kernel would show it.
rc::Gen<Route> arbitrary_route() {
  return rc::gen::exec([] {
    Route any;
    const Family family = *rc::gen::element(Family::inet, Family::inet6);
    any.to = Prefix::masking(
        *arbitrary_host(family),
        *rc::gen::inRange<std::uint8_t>(0, static_cast<std::uint8_t>(address_bits(family) + 1)));
    any.type = *rc::gen::element(RouteType::unicast, RouteType::local, RouteType::blackhole,
                                 RouteType::unreachable, RouteType::prohibit);
    any.table = TableId{*rc::gen::element(1U, 253U, 254U, 255U, 256U, 51820U, 4294967295U)};
    any.metric = *rc::gen::element(1U, 100U, 1024U, 4294967295U);
    any.protocol = Mark{}.protocol;
    if (family == Family::inet) {
      any.tos = *rc::gen::element<std::uint8_t>(0, 4, 0x10, 0xfc);
      any.scope = any.type == RouteType::local ? std::uint8_t{254} : std::uint8_t{0};
    }
    if (any.type == RouteType::local) {
      any.nexthops = {*arbitrary_nexthop(family, false)};
    } else if (any.type == RouteType::unicast) {
      any.nexthops = some_nexthops(family);
    }
    if (!any.nexthops.empty()) {
      if (*rc::gen::arbitrary<bool>()) any.src = *arbitrary_host(family);
      any.mtu = *rc::gen::element(0U, 68U, 65520U);
      any.advmss = *rc::gen::element(0U, 1U, 65495U);
    }
    return any;
  });
}

RC_GTEST_PROP(RouteProperty, WhatIsEncodedIsDecoded, ()) {
  const Route any = *arbitrary_route();
  const auto query = Route::queries({})[any.family() == Family::inet ? 0 : 1];
  for (const auto& requests : {create(any, some_links()), update(any, any, some_links())}) {
    wire::Reply reply;
    reply.bytes = std::get<wire::NetlinkChange>(requests.front()).message;
    std::vector<Route> out;
    Route::decode(query, reply, some_links(), out);
    RC_ASSERT(out == std::vector{any});
  }
}

RC_GTEST_PROP(RouteProperty, WhatASpecSaysOfARouteIsTheRoute, ()) {
  const Route any = *arbitrary_route();
  const auto read = read_spec<Route>(test::spec_text(any));
  RC_ASSERT(read.value.has_value());
  RC_ASSERT(with_mark(*read.value, Mark{}) == any);
}

RC_GTEST_PROP(RouteProperty, CompleteForgetsNoField, ()) {
  const Route any = *arbitrary_route();
  Route open = any;
  for (Nexthop& nexthop : open.nexthops) {
    if (nexthop.via) nexthop.dev.reset();
  }
  std::ranges::sort(open.nexthops);
  RC_ASSERT(complete(open, any) == any);
  RC_ASSERT(transition(any, complete(open, any)) == Transition{});
}

}  // namespace
}  // namespace plumbline
