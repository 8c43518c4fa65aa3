#include "plumbline/kinds/rule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cerrno>

#include "plumbline/wire/netlink.hpp"
#include "tests/kinds/on_kernel.hpp"

namespace plumbline {
namespace {

using test::read_spec;
using test::wanted;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Rule rule(const std::string& text) { return wanted<Rule>(text); }

std::vector<std::string> errors(const std::string& text) { return read_spec<Rule>(text).errors; }

TEST(RuleSpec, TakesEveryWordAndSaysItAsIpDoes) {
  EXPECT_EQ(format(key(rule(R"({"priority": 1000, "from": "10.0.0.0/8", "table": 100})"))),
            "rule inet 1000 from 10.0.0.0/8 table 100");
  EXPECT_EQ(
      format(key(rule(
          R"({"priority": 7, "not": true, "from": "10.0.0.0/8", "to": "10.1.2.3", "tos": "0x10",
              "fwmark": "0xca6c/0xff00", "iif": "br-lan.10", "oif": "eth0", "ipProtocol": "tcp",
              "sourcePorts": 80, "destinationPorts": "80-90", "uidRange": "1000-2000",
              "table": "uplink", "suppressPrefixLength": 0, "action": "table", "family": "inet"})"))),
      "rule inet 7 not from 10.0.0.0/8 to 10.1.2.3/32 tos 0x10 fwmark 0xca6c/0xff00 iif br-lan.10 "
      "oif eth0 ipproto tcp sport 80 dport 80-90 uidrange 1000-2000 table 100 "
      "suppress_prefixlength 0");
  EXPECT_EQ(format(key(rule(R"({"priority": 0, "goto": 10})"))), "rule inet 0 goto 10");
  EXPECT_EQ(format(key(rule(R"({"priority": 5, "action": "prohibit", "ipProtocol": 255})"))),
            "rule inet 5 ipproto 255 prohibit");
  EXPECT_EQ(format(key(rule(R"({"priority": 5, "family": "inet6", "table": "main"})"))),
            "rule inet6 5 table main");
}

TEST(RuleSpec, TakesTheFamilyOfItsAddresses) {
  EXPECT_EQ(rule(R"({"priority": 1, "table": 5})").family, Family::inet);
  EXPECT_EQ(rule(R"({"priority": 1, "table": 5, "from": "fd00::/8"})").family, Family::inet6);
  EXPECT_EQ(rule(R"({"priority": 1, "table": 5, "to": "::/0"})").family, Family::inet6);
}

TEST(RuleSpec, TakesAllForNoCondition) {
  EXPECT_EQ(rule(R"({"priority": 1, "table": 5, "from": "0.0.0.0/0", "to": "0.0.0.0/0"})"),
            rule(R"({"priority": 1, "table": 5})"));
  EXPECT_EQ(rule(R"({"priority": 1, "table": 5, "fwmark": "0/0"})"),
            rule(R"({"priority": 1, "table": 5})"));
}

TEST(RuleSpec, TakesAMarkWithAndWithoutMask) {
  const auto masked = [](const std::string& mark) {
    const Rule it = rule(R"({"priority": 1, "table": 5, "fwmark": )" + mark + "}");
    return std::pair(it.fwmark, it.fwmask);
  };
  EXPECT_EQ(masked("51820"), masked(R"("0xca6c")"));
  EXPECT_EQ(masked(R"("0xca6c")"), masked(R"("51820/0xffffffff")"));
  EXPECT_EQ(masked("0"), masked(R"("0x0/0xffffffff")"));
  EXPECT_EQ(masked(R"("4/0xff")").second, 0xffU);
}

TEST(RuleSpec, RefusesWhatIsNoRule) {
  const auto refused = ElementsAre(::testing::StartsWith("INVALID_RULE"));
  for (const char* member : {
           R"("from": "10.0.0.1/8")",
           R"("from": "all")",
           R"("from": "10.0.0.0/8", "to": "fd00::/8")",
           R"("from": "10.0.0.0/8", "family": "inet6")",
           R"("family": "ipv6")",
           R"("family": "bridge")",
           R"("fwmark": "0x")",
           R"("fwmark": "1/")",
           R"("fwmark": "1/2/3")",
           R"("fwmark": "-1")",
           R"("fwmark": "0x100000000")",
           R"("tos": 1)",
           R"("tos": 32)",
           R"("ipProtocol": "ip")",
           R"("sourcePorts": "90-80")",
           R"("sourcePorts": "0-80")",
           R"("sourcePorts": "80-65535")",
           R"("destinationPorts": "80,90")",
           R"("destinationPorts": "-")",
           R"("uidRange": "root")",
           R"("goto": 2000)",
           R"("action": "goto", "goto": 2000)",
           R"("action": "nop")",
           R"("action": "reject")",
       }) {
    EXPECT_THAT(errors(std::string(R"({"priority": 1000, "table": 100, )") + member + "}"), refused)
        << member;
  }
  EXPECT_THAT(errors(R"({"priority": 1000, "goto": 1000})"), refused);
  EXPECT_THAT(errors(R"({"priority": 1000, "action": "blackhole", "suppressPrefixLength": 0})"),
              refused);
  EXPECT_THAT(errors(R"({"priority": 1000, "table": "nobody"})"), refused);
}

TEST(RuleSpec, ReportsTypesRangesAndKeysWithTheirPlaces) {
  EXPECT_THAT(errors(R"({"table": 5})"), ElementsAre("MISSING_KEY at "));
  EXPECT_THAT(errors(R"({"priority": 5})"), ElementsAre("MISSING_KEY at "));
  EXPECT_THAT(errors(R"({"priority": 5, "action": "goto"})"), ElementsAre("MISSING_KEY at "));
  EXPECT_THAT(errors(R"({"priority": 4294967296, "table": 5})"),
              ElementsAre("OUT_OF_RANGE at /priority"));
  EXPECT_THAT(errors(R"({"priority": 1, "table": 0})"), ElementsAre("OUT_OF_RANGE at /table"));
  EXPECT_THAT(errors(R"({"priority": 1, "table": 5, "sourcePorts": 65535})"),
              ElementsAre("OUT_OF_RANGE at /sourcePorts"));
  EXPECT_THAT(errors(R"({"priority": 1, "table": 5, "suppressPrefixLength": 33})"),
              ElementsAre("OUT_OF_RANGE at /suppressPrefixLength"));
  EXPECT_THAT(errors(R"({"priority": 1, "table": 5, "not": 1})"),
              ElementsAre("WRONG_TYPE at /not"));
  EXPECT_THAT(errors(R"({"priority": 1, "table": 5, "iif": "a b"})"),
              ElementsAre("INVALID_INTERFACE_NAME at /iif"));
  EXPECT_THAT(errors(R"({"priority": 1, "table": 5, "src": "10.0.0.0/8"})"),
              ElementsAre("UNKNOWN_KEY at /src"));
  EXPECT_EQ(errors(R"({"priority": "x", "from": 1, "table": 0, "fwmark": true})").size(), 4U);
}

TEST(RuleRemoval, MayHitARuleThatSaysMore) {
  const Rule all = rule(R"({"priority": 1, "table": 5})");
  const Rule some = rule(R"({"priority": 1, "table": 5, "from": "10.0.0.0/8"})");
  const Rule others = rule(R"({"priority": 1, "table": 5, "from": "10.0.0.0/8", "not": true})");
  const Rule later = rule(R"({"priority": 2, "table": 5})");
  EXPECT_TRUE(removal_may_hit(all, some));
  EXPECT_FALSE(removal_may_hit(some, all));
  EXPECT_TRUE(removal_may_hit(some, others));
  EXPECT_FALSE(removal_may_hit(all, later));
}

TEST(RuleDecode, FindsNoneWhereTheKernelHasNoSuchFamilyAndRefusesOtherFailures) {
  std::vector<Rule> out;
  const auto query = Rule::queries({}).front();
  Rule::decode(query, {EAFNOSUPPORT, "", {}, {}}, {}, out);
  EXPECT_THAT(out, IsEmpty());
  EXPECT_THROW(Rule::decode(query, {EPERM, "", {}, {}}, {}, out), wire::Malformed);
}

TEST(RuleDecode, GivesARuleThatStandsTwiceOnce) {
  const Rule any = rule(R"({"priority": 1, "table": 5})");
  const auto message = std::get<wire::NetlinkChange>(create(any, {}).front()).message;
  wire::Reply reply;
  for (int i = 0; i < 2; ++i) reply.bytes.insert(reply.bytes.end(), message.begin(), message.end());
  std::vector<Rule> out;
  Rule::decode(Rule::queries({}).front(), reply, {}, out);
  EXPECT_THAT(out, ElementsAre(any));
}

// ---- properties

rc::Gen<Prefix> arbitrary_prefix(Family family) {
  return rc::gen::exec([family] {
    const auto size = static_cast<std::size_t>(address_bits(family) / 8);
    const auto bytes =
        *rc::gen::container<std::vector<std::uint8_t>>(size, rc::gen::arbitrary<std::uint8_t>());
    const auto length = *rc::gen::inRange<int>(1, address_bits(family) + 1);
    return Prefix::masking(*IpAddress::from_bytes(std::as_bytes(std::span(bytes))),
                           static_cast<std::uint8_t>(length));
  });
}

template <class T>
rc::Gen<Range<T>> arbitrary_range(T min, T max) {
  return rc::gen::exec([=] {
    const T first = *rc::gen::inRange<T>(min, max);
    return Range<T>{first, *rc::gen::inRange<T>(first, max)};
  });
}

/// `gen`'s value, or nothing.
template <class T>
std::optional<T> sometimes(const rc::Gen<T>& gen) {
  if (*rc::gen::arbitrary<bool>()) return std::nullopt;
  return *gen;
}

void add_conditions(Rule& any) {
  any.invert = *rc::gen::arbitrary<bool>();
  any.from = sometimes(arbitrary_prefix(any.family));
  any.to = sometimes(arbitrary_prefix(any.family));
  any.iif = sometimes(rc::gen::element<std::string>("lo", "eth0.10"));
  any.oif = sometimes(rc::gen::element<std::string>("lo", "fifteen-letters"));
  any.fwmark = sometimes(rc::gen::arbitrary<std::uint32_t>());
  if (any.fwmark) any.fwmask = *rc::gen::element(1U, 0xff00U, UINT32_MAX);
  any.tos = *rc::gen::element<std::uint8_t>(0, 4, 0x1c);
  any.ip_protocol = sometimes(rc::gen::inRange<std::uint8_t>(1, 255));
  any.source_ports = sometimes(arbitrary_range<std::uint16_t>(1, 65535));
  any.destination_ports = sometimes(arbitrary_range<std::uint16_t>(1, 65535));
  any.uids = sometimes(arbitrary_range<std::uint32_t>(0, UINT32_MAX));
}

rc::Gen<Rule> arbitrary_rule() {
  return rc::gen::exec([] {
    Rule any;
    any.family = *rc::gen::element(Family::inet, Family::inet6);
    any.priority = *rc::gen::element(0U, 1000U, 4294967290U);
    any.protocol = Mark{}.protocol;
    add_conditions(any);
    any.action =
        *rc::gen::element(RuleAction::table, RuleAction::goto_priority, RuleAction::nop,
                          RuleAction::blackhole, RuleAction::unreachable, RuleAction::prohibit);
    if (any.action == RuleAction::goto_priority) any.goto_priority = any.priority + 3;
    if (any.action == RuleAction::table) {
      any.table = TableId{*rc::gen::element(1U, 254U, 255U, 256U, 4294967295U)};
      any.suppress_prefix_length = sometimes(rc::gen::element(0U, 32U));
    }
    return any;
  });
}

RC_GTEST_PROP(RuleProperty, WhatIsEncodedIsDecoded, ()) {
  const Rule any = *arbitrary_rule();
  wire::Reply reply;
  reply.bytes = std::get<wire::NetlinkChange>(create(any, {}).front()).message;
  std::vector<Rule> out;
  Rule::decode(Rule::queries({})[any.family == Family::inet ? 0 : 1], reply, {}, out);
  RC_ASSERT(out == std::vector{any});
}

RC_GTEST_PROP(RuleProperty, WhatASpecSaysOfARuleIsTheRule, ()) {
  const Rule any = *arbitrary_rule();
  const auto read = read_spec<Rule>(test::spec_text(any));
  RC_ASSERT(read.value.has_value());
  RC_ASSERT(with_mark(*read.value, Mark{}) == any);
  RC_ASSERT(transition(any, complete(with_mark(*read.value, Mark{}), any)) == Transition{});
}

}  // namespace
}  // namespace plumbline
