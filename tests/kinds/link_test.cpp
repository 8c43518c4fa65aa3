// Links without a kernel: what the spec says, and how one value becomes another.

#include "plumbline/kinds/link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <rapidcheck.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "plumbline/wire/netlink.hpp"
#include "tests/support/spec_text.hpp"

namespace plumbline {
namespace {

using test::SpecText;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

IfName name(std::string_view text) { return IfName::parse(text).value(); }

// ---- random links -------------------------------------------------------------------------------

template <class T>
std::optional<T> maybe(const rc::Gen<T>& gen, bool always) {
  if (!always && *rc::gen::arbitrary<bool>()) return std::nullopt;
  return *gen;
}

std::optional<bool> maybe_bool(bool always) { return maybe(rc::gen::arbitrary<bool>(), always); }

std::optional<std::uint32_t> maybe_number(std::uint32_t min, std::uint32_t max, bool always) {
  return maybe(rc::gen::inRange<std::uint32_t>(min, max + 1), always);
}

PortSettings any_port(bool whole) {
  PortSettings port;
  port.isolated = maybe_bool(whole);
  port.learning = maybe_bool(whole);
  port.hairpin = maybe_bool(whole);
  port.cost = maybe_number(1, 65535, whole);
  port.priority = maybe(rc::gen::inRange<std::uint16_t>(0, 64), whole);
  return port;
}

BridgeOptions any_bridge(bool whole) {
  BridgeOptions bridge;
  bridge.stp = maybe_bool(whole);
  bridge.forward_delay = 100 * *rc::gen::inRange<std::uint32_t>(2, 31);
  if (bridge.stp != true && *rc::gen::arbitrary<bool>()) bridge.forward_delay = 0;
  bridge.ageing_time = 100 * *rc::gen::inRange<std::uint32_t>(0, 1000);
  bridge.vlan_filtering = maybe_bool(whole);
  bridge.multicast_snooping = maybe_bool(whole);
  return bridge;
}

TapOptions any_tap(bool whole) {
  return {maybe_number(0, 70000, whole), maybe_number(0, 70000, whole), maybe_bool(whole),
          maybe_bool(whole)};
}

/// A link as the spec may want it or, when `whole`, as it is observed: nothing left open.
Link any_link(LinkKind kind, bool whole) {
  Link link;
  link.name = name("here");
  link.kind = kind;
  link.up = *rc::gen::arbitrary<bool>();
  link.mtu = maybe_number(68, 65535, whole);
  if (whole || *rc::gen::arbitrary<bool>()) link.mac = Mac::parse("02:00:00:00:00:07");
  if (whole || *rc::gen::arbitrary<bool>()) link.master = name("br0");
  link.tx_queue_length = maybe_number(0, 5000, whole);
  if (whole || *rc::gen::arbitrary<bool>()) link.alias = "the \"uplink\"; äöü";
  if (kind == LinkKind::bridge) link.bridge = any_bridge(whole);
  if (kind == LinkKind::tap) link.tap = any_tap(whole);
  if (kind == LinkKind::veth) link.veth = VethOptions{name("there")};
  if (link.master) link.port = any_port(whole);
  return link;
}

LinkKind any_kind() {
  return *rc::gen::element(LinkKind::physical, LinkKind::bridge, LinkKind::tap, LinkKind::veth);
}

// ---- the spec -----------------------------------------------------------------------------------

std::optional<Link> read(SpecText& text) {
  return Link::from_spec(text.member(text.entry().has("here") ? "here" : "x"));
}

TEST(LinkFromSpec, ReadsEveryKey) {
  SpecText text(R"({"here": {
    "kind": "tap", "up": false, "mtu": 1400, "mac": "02:00:00:00:00:0A", "master": "br0",
    "txQueueLength": 500, "addresses": ["10.0.0.1/24"], "alias": "web",
    "port": {"isolated": true, "learning": false, "hairpin": true, "cost": 7, "priority": 9},
    "tap": {"owner": 1000, "group": 1001, "multiQueue": true, "vnetHeader": false}}})");
  const auto link = read(text);
  ASSERT_THAT(text.faults(), IsEmpty());
  Link expected;
  expected.name = name("here");
  expected.kind = LinkKind::tap;
  expected.up = false;
  expected.mtu = 1400;
  expected.mac = Mac::parse("02:00:00:00:00:0a");
  expected.master = name("br0");
  expected.tx_queue_length = 500;
  expected.alias = "web";
  expected.port = PortSettings{true, false, true, 7, std::uint16_t{9}};
  expected.tap = TapOptions{1000, 1001, true, false};
  EXPECT_EQ(link, expected);
}

TEST(LinkFromSpec, CountsTimesInHundredthsOfASecond) {
  SpecText text(
      R"({"here": {"kind": "bridge", "bridge": {"forwardDelay": 15, "ageingTime": 300}}})");
  const auto link = read(text);
  ASSERT_THAT(text.faults(), IsEmpty());
  EXPECT_EQ(link->bridge->forward_delay, 1500U);
  EXPECT_EQ(link->bridge->ageing_time, 30000U);
}

TEST(LinkFromSpec, IsUpUnlessToldOtherwiseAndLeavesTheRestOpen) {
  SpecText text(R"({"here": {"kind": "physical"}})");
  Link expected;
  expected.name = name("here");
  expected.up = true;
  EXPECT_EQ(read(text), expected);
}

TEST(LinkFromSpec, IsTheInverseOfToSpec) {
  EXPECT_TRUE(rc::check([] {
    const Link link = any_link(any_kind(), false);
    SpecText text(boost::json::serialize(boost::json::value{{"here", to_spec(link)}}));
    const auto again = read(text);
    RC_ASSERT(text.faults().empty());
    RC_ASSERT(again == link);
  }));
}

struct Bad {
  std::string_view entry;
  std::vector<std::string> faults;
};

class LinkFromBadSpec : public testing::TestWithParam<Bad> {};

TEST_P(LinkFromBadSpec, SaysWhatIsWrongAndWhere) {
  SpecText text(GetParam().entry);
  static_cast<void>(read(text));
  EXPECT_EQ(text.faults(), GetParam().faults) << GetParam().entry;
}

INSTANTIATE_TEST_SUITE_P(
    , LinkFromBadSpec,
    testing::Values(
        Bad{R"({"here": 1})", {"WRONG_TYPE /here"}}, Bad{R"({"here": {}})", {"MISSING_KEY /here"}},
        Bad{R"({"here": {"kind": 7}})", {"WRONG_TYPE /here/kind"}},
        Bad{R"({"here": {"kind": "birdge"}})", {"INVALID_LINK /here/kind"}},
        Bad{R"({"here": {"kind": "other"}})", {"INVALID_LINK /here/kind"}},
        Bad{R"({"here": {"kind": "tun"}})", {"INVALID_LINK /here/kind"}},
        Bad{R"({"here": {"kind": "vxlan", "vxlan": {"id": 1}}})", {"NOT_AVAILABLE /here/kind"}},
        Bad{R"({"here": {"kind": "wireguard"}})", {"NOT_AVAILABLE /here/kind"}},
        Bad{R"({"here": {"kind": "bridge", "mru": 1500}})", {"UNKNOWN_KEY /here/mru"}},
        Bad{R"({"here": {"kind": "bridge", "tap": {}}})", {"INVALID_LINK /here/tap"}},
        Bad{R"({"here": {"kind": "bridge", "vxlan": {}}})", {"INVALID_LINK /here/vxlan"}},
        Bad{R"({"here": {"kind": "physical", "physical": {}}})", {"UNKNOWN_KEY /here/physical"}},
        Bad{R"({"here": {"kind": "bridge", "mtu": 67}})", {"OUT_OF_RANGE /here/mtu"}},
        Bad{R"({"here": {"kind": "bridge", "mtu": 65536}})", {"OUT_OF_RANGE /here/mtu"}},
        Bad{R"({"here": {"kind": "bridge", "mtu": "1500"}})", {"WRONG_TYPE /here/mtu"}},
        Bad{R"({"here": {"kind": "bridge", "up": 1}})", {"WRONG_TYPE /here/up"}},
        Bad{R"({"here": {"kind": "bridge", "mac": "02:00"}})", {"INVALID_LINK /here/mac"}},
        Bad{R"({"here": {"kind": "bridge", "mac": "01:00:00:00:00:01"}})",
            {"INVALID_LINK /here/mac"}},
        Bad{R"({"here": {"kind": "bridge", "mac": "00:00:00:00:00:00"}})",
            {"INVALID_LINK /here/mac"}},
        Bad{R"({"here": {"kind": "tap", "master": "all"}})",
            {"INVALID_INTERFACE_NAME /here/master"}},
        Bad{R"({"here": {"kind": "tap", "master": "here"}})", {"INVALID_LINK /here/master"}},
        Bad{R"({"here": {"kind": "tap", "port": {"isolated": true}}})",
            {"INVALID_LINK /here/port"}},
        Bad{R"({"here": {"kind": "tap", "master": "b", "port": {"cost": 0, "priority": 64}}})",
            {"OUT_OF_RANGE /here/port/cost", "OUT_OF_RANGE /here/port/priority"}},
        Bad{R"({"here": {"kind": "tap", "tap": {"owner": 4294967295, "user": 1}}})",
            {"UNKNOWN_KEY /here/tap/user", "OUT_OF_RANGE /here/tap/owner"}},
        Bad{R"({"here": {"kind": "veth"}})", {"MISSING_KEY /here"}},
        Bad{R"({"here": {"kind": "veth", "veth": {}}})", {"MISSING_KEY /here/veth"}},
        Bad{R"({"here": {"kind": "veth", "veth": {"peer": "here"}}})",
            {"INVALID_LINK /here/veth/peer"}},
        Bad{R"({"here": {"kind": "veth", "veth": {"peer": "a b"}}})",
            {"INVALID_INTERFACE_NAME /here/veth/peer"}},
        Bad{R"({"here": {"kind": "veth", "veth": {"peer": "v1", "peerNetns": "x"}}})",
            {"NOT_AVAILABLE /here/veth/peerNetns"}},
        Bad{R"({"here": {"kind": "bridge", "bridge": {"forwardDelay": 1}}})",
            {"OUT_OF_RANGE /here/bridge/forwardDelay"}},
        Bad{R"({"here": {"kind": "bridge", "bridge": {"forwardDelay": 31}}})",
            {"OUT_OF_RANGE /here/bridge/forwardDelay"}},
        Bad{R"({"here": {"kind": "bridge", "bridge": {"stp": true, "forwardDelay": 0}}})",
            {"INVALID_LINK /here/bridge/forwardDelay"}},
        Bad{R"({"here": {"kind": "bridge", "bridge": {"ageingTime": 4294967296}}})",
            {"OUT_OF_RANGE /here/bridge/ageingTime"}},
        Bad{R"({"here": {"kind": "bridge", "alias": "a\nb"}})", {"INVALID_LINK /here/alias"}},
        Bad{R"({"here": {"kind": "physical", "alias": "plumbline:1;;"}})",
            {"INVALID_LINK /here/alias"}}));

TEST(LinkFromSpec, RefusesTheNamesThatMeanSomethingElse) {
  for (const std::string_view bad :
       {"all", "default", "a/b", "a b", "tap%d", "sixteen-letters-", "."}) {
    SpecText text(R"({")" + std::string(bad) + R"(": {"kind": "bridge"}})");
    EXPECT_EQ(Link::from_spec(text.member(bad)), std::nullopt);
    ASSERT_EQ(text.errors().size(), 1U) << bad;
    EXPECT_EQ(text.errors()[0].code, Code::invalid_interface_name);
  }
}

TEST(LinkFromSpec, LeavesRoomForTheMarkInAnAlias) {
  const auto faults_of = [](std::string_view kind, std::size_t size) {
    SpecText text(R"({"here": {"kind": ")" + std::string(kind) + R"(", "alias": ")" +
                  std::string(size, 'x') + R"("}})");
    static_cast<void>(read(text));
    return text.faults();
  };
  EXPECT_THAT(faults_of("bridge", 242), IsEmpty());
  EXPECT_THAT(faults_of("bridge", 243), ElementsAre("OUT_OF_RANGE /here/alias"));
  EXPECT_THAT(faults_of("physical", 255), IsEmpty());
  EXPECT_THAT(faults_of("physical", 256), ElementsAre("OUT_OF_RANGE /here/alias"));
}

// ---- one value becomes another ------------------------------------------------------------------

TEST(CompleteLink, ForgetsNoField) {
  EXPECT_TRUE(rc::check([] {
    Link have = any_link(any_kind(), true);
    have.marked = *rc::gen::arbitrary<bool>();
    have.carrier = *rc::gen::arbitrary<bool>();
    have.promote_secondaries = *rc::gen::arbitrary<bool>();
    have.has_qdisc = *rc::gen::arbitrary<bool>();
    // When this no longer compiles there is a new field: any_link() and complete() need it too.
    const auto& [n, kind, up, mtu, mac, master, txq, alias, bridge, tap, veth, port, marked, c, p,
                 q] = have;
    static_cast<void>(std::tie(n, kind, up, mtu, mac, master, txq, alias, bridge, tap, veth, port,
                               marked, c, p, q));
    Link want;
    want.name = n;
    want.kind = kind;
    want.marked = marked;
    RC_ASSERT(complete(want, have) == have);
    want.kind = LinkKind::physical;
    RC_ASSERT(complete(want, have) == have);
    RC_ASSERT(transition(have, complete(want, have)) == Transition{});
  }));
}

TEST(CompleteLink, KeepsWhatIsWanted) {
  EXPECT_TRUE(rc::check([] {
    const LinkKind kind = any_kind();
    const Link want = any_link(kind, true);
    Link completed = complete(want, any_link(kind, true));
    if (completed.tap) {  // never compared
      completed.tap->multi_queue = want.tap->multi_queue;
      completed.tap->vnet_header = want.tap->vnet_header;
    }
    RC_ASSERT(completed == want);
  }));
}

TEST(CompleteLink, OpensThePortSettingsOfALinkThatJoinsAnotherBridge) {
  Link have;
  have.name = name("here");
  have.kind = LinkKind::veth;
  have.master = name("br0");
  have.port = PortSettings{true, false, true, 7, std::uint16_t{9}};
  Link want = have;
  want.master = name("br1");
  want.port = PortSettings{true, {}, {}, {}, {}};
  EXPECT_EQ(complete(want, have).port, want.port);
}

Link veth(std::string_view self, std::string_view peer) {
  Link link;
  link.name = name(self);
  link.kind = LinkKind::veth;
  link.veth = VethOptions{name(peer)};
  link.up = true;
  link.marked = true;
  return link;
}

TEST(LinkTransition, ReplacesALinkOfAnotherKindOrWithAnotherPeer) {
  Link bridge = veth("a", "b");
  bridge.kind = LinkKind::bridge;
  bridge.veth.reset();
  const auto change = [](const Link& have, const Link& want) {
    return transition(have, complete(want, have)).change;
  };
  EXPECT_EQ(change(veth("a", "b"), bridge), Change::replace);
  EXPECT_EQ(change(veth("a", "b"), veth("a", "c")), Change::replace);
  Link away = veth("a", "b");
  away.veth->peer.reset();
  EXPECT_EQ(change(away, veth("a", "b")), Change::replace);
  EXPECT_EQ(complete(bridge, veth("a", "b")), bridge);
}

Link tap(std::optional<std::uint32_t> owner, bool held) {
  Link link;
  link.name = name("t");
  link.kind = LinkKind::tap;
  link.tap = TapOptions{owner, {}, {}, {}};
  link.alias = "";
  link.carrier = held;
  return link;
}

TEST(LinkTransition, WaitsForAHeldTapToChangeItsOwner) {
  const auto way = [](const Link& have, const Link& want) {
    return transition(have, complete(want, have));
  };
  EXPECT_EQ(way(tap(1, false), tap(2, false)), (Transition{Change::update}));
  EXPECT_EQ(
      way(tap(1, true), tap(2, false)),
      (Transition{Change::update, Disruption::nothing, "the TAP is free (somebody has it open)"}));
  EXPECT_EQ(way(tap({}, false), tap(2, false)).change, Change::replace);
  EXPECT_EQ(way(tap(1, true), tap({}, true)).change, Change::none);
}

TEST(LinkTransition, SaysWhatAnUpdateDisrupts) {
  Link have = veth("a", "b");
  have.mtu = 1500;
  const auto disrupts = [&](const auto& edit) {
    Link want = have;
    edit(want);
    const Transition way = transition(have, want);
    EXPECT_EQ(way.change, Change::update);
    return way.disrupts;
  };
  EXPECT_EQ(disrupts([](Link& l) { l.up = false; }), Disruption::traffic);
  EXPECT_EQ(disrupts([](Link& l) { l.master = name("br9"); }), Disruption::traffic);
  EXPECT_EQ(disrupts([](Link& l) { l.mac = Mac::parse("02:00:00:00:00:ff"); }),
            Disruption::sessions);
  EXPECT_EQ(disrupts([](Link& l) { l.mtu = *l.mtu - 1; }), Disruption::sessions);
  EXPECT_EQ(disrupts([](Link& l) { l.alias = "new"; }), Disruption::nothing);
}

// ---- what is asked of the kernel ----------------------------------------------------------------

TEST(LinkNeeds, ItsMasterAndTheEndThatMakesThePair) {
  Link link = veth("b", "a");
  link.master = name("br0");
  EXPECT_EQ(needs(link), (std::vector<Need>{NeedsLink{name("br0")}, NeedsLink{name("a")}}));
  EXPECT_THAT(needs(veth("a", "b")), IsEmpty());
}

/// Whether it sets the link up, and whether it holds settings of a bridge port.
std::pair<bool, bool> up_and_port(const wire::Request& request) {
  const auto& bytes = std::get<wire::NetlinkChange>(request).message;
  const wire::Message message(bytes);
  bool port = false;
  message.attributes<ifinfomsg>([&](const wire::Attribute& attribute) {
    if (attribute.type() != IFLA_LINKINFO) return;
    wire::for_each_attribute(attribute.payload(), [&](const wire::Attribute& part) {
      port = port || part.type() == IFLA_INFO_SLAVE_DATA;
    });
  });
  return {(message.fixed<ifinfomsg>().ifi_flags & IFF_UP) != 0, port};
}

TEST(CreateLink, IsolatesAPortBeforeItIsUp) {
  Link link = veth("a", "b");
  link.master = name("br0");
  link.port = PortSettings{true, {}, {}, {}, {}};
  LinkNames links;
  links.add(7, name("br0"));
  const auto requests = create(link, links);
  ASSERT_EQ(requests.size(), 4U);
  using Pair = std::pair<bool, bool>;
  EXPECT_EQ(up_and_port(requests[0]), Pair(false, false));
  EXPECT_EQ(up_and_port(requests[1]), Pair(false, false));
  EXPECT_EQ(up_and_port(requests[2]), Pair(false, true));
  EXPECT_EQ(up_and_port(requests[3]), Pair(true, false));
}

TEST(UpdateLink, TakesALinkDownWhileItJoinsABridgeThatItIsIsolatedIn) {
  Link have = veth("a", "b");
  have.alias = "";
  Link want = have;
  want.master = name("br0");
  want.port = PortSettings{true, {}, {}, {}, {}};
  LinkNames links;
  links.add(7, name("br0"));
  links.add(8, name("a"));
  const auto requests = update(have, want, links);
  ASSERT_EQ(requests.size(), 4U);
  const wire::Message first(std::get<wire::NetlinkChange>(requests[0]).message);
  EXPECT_EQ(first.fixed<ifinfomsg>().ifi_change & IFF_UP, static_cast<unsigned>(IFF_UP));
  EXPECT_FALSE(up_and_port(requests[0]).first);
  EXPECT_TRUE(up_and_port(requests[2]).second);
  EXPECT_TRUE(up_and_port(requests[3]).first);
}

TEST(UpdateLink, AsksForNothingWhenNothingDiffers) {
  EXPECT_TRUE(rc::check([] {
    const Link link = any_link(any_kind(), true);
    RC_ASSERT(update(link, link, LinkNames()).empty());
  }));
}

TEST(RemoveLink, LeavesWhatIsPhysicalAndTheOtherEndOfAPairAlone) {
  Link physical;
  physical.name = name("eth0");
  EXPECT_THAT(remove(physical, LinkNames()), IsEmpty());
  EXPECT_THAT(create(physical, LinkNames()), IsEmpty());
  EXPECT_THAT(remove(veth("b", "a"), LinkNames()), IsEmpty());
  EXPECT_EQ(remove(veth("a", "b"), LinkNames()).size(), 1U);
}

TEST(LinkMark, IsNeverPutOnAPhysicalLink) {
  Link link;
  EXPECT_FALSE(with_mark(link, Mark()).marked);
  link.kind = LinkKind::bridge;
  EXPECT_TRUE(is_marked(with_mark(link, Mark()), Mark()));
}

TEST(LinkKey, IsTheName) { EXPECT_EQ(format(key(veth("a", "b"))), "link a"); }

TEST(DecodeLink, TakesAFailedDumpForNoAnswer) {
  const auto queries = Link::queries({});
  for (const wire::Request& query : queries) {
    std::vector<Link> out;
    wire::Reply reply;
    reply.error = EPERM;
    EXPECT_THROW(Link::decode(query, reply, LinkNames(), out), wire::Malformed);
  }
}

}  // namespace
}  // namespace plumbline
