// A link as the spec writes it.

#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "tests/kinds/any_link.hpp"
#include "tests/support/spec_text.hpp"

namespace plumbline {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;

std::optional<Link> read(SpecText& text) {
  return Link::from_spec(text.member(text.entry().has("here") ? "here" : "x"));
}

TEST(LinkFromSpec, ReadsEveryKey) {
  SpecText text(R"({"here": {
    "kind": "tap", "up": false, "mtu": 1400, "mac": "02:00:00:00:00:0A", "master": "br0",
    "txQueueLength": 500, "addresses": ["10.0.0.1/24"], "alias": "web",
    "port": {"isolated": true, "learning": false, "hairpin": true, "cost": 7, "priority": 9,
             "groupFwdMask": 65533},
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
  expected.port = PortSettings{true, false, true, 7, std::uint16_t{9}, std::uint16_t{0xfffd}};
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
    Link link = any_link(any_kind(), false);
    link.assignment.clear();  // no spec says it
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

TEST(LinkFromSpec, SaysWhatIsWrongAndWhere) {
  const std::vector<Bad> table{

      {R"({"here": 1})", {"WRONG_TYPE /here"}},
      {R"({"here": {}})", {"MISSING_KEY /here"}},
      {R"({"here": {"kind": 7}})", {"WRONG_TYPE /here/kind"}},
      {R"({"here": {"kind": "birdge"}})", {"INVALID_LINK /here/kind"}},
      {R"({"here": {"kind": "other"}})", {"INVALID_LINK /here/kind"}},
      {R"({"here": {"kind": "tun"}})", {"INVALID_LINK /here/kind"}},
      {R"({"here": {"kind": "bond"}})", {"NOT_AVAILABLE /here/kind"}},
      {R"({"here": {"kind": "wireguard", "mac": "02:00:00:00:00:01"}})",
       {"INVALID_LINK /here/mac"}},
      {R"({"here": {"kind": "bridge", "mru": 1500}})", {"UNKNOWN_KEY /here/mru"}},
      {R"({"here": {"kind": "bridge", "tap": {}}})", {"INVALID_LINK /here/tap"}},
      {R"({"here": {"kind": "bridge", "vxlan": {}}})", {"INVALID_LINK /here/vxlan"}},
      {R"({"here": {"kind": "physical", "physical": {}}})", {"UNKNOWN_KEY /here/physical"}},
      {R"({"here": {"kind": "bridge", "mtu": 67}})", {"OUT_OF_RANGE /here/mtu"}},
      {R"({"here": {"kind": "bridge", "mtu": 65536}})", {"OUT_OF_RANGE /here/mtu"}},
      {R"({"here": {"kind": "bridge", "mtu": "1500"}})", {"WRONG_TYPE /here/mtu"}},
      {R"({"here": {"kind": "bridge", "up": 1}})", {"WRONG_TYPE /here/up"}},
      {R"({"here": {"kind": "bridge", "mac": "02:00"}})", {"INVALID_LINK /here/mac"}},
      {R"({"here": {"kind": "bridge", "mac": "01:00:00:00:00:01"}})", {"INVALID_LINK /here/mac"}},
      {R"({"here": {"kind": "bridge", "mac": "00:00:00:00:00:00"}})", {"INVALID_LINK /here/mac"}},
      {R"({"here": {"kind": "tap", "master": "all"}})", {"INVALID_INTERFACE_NAME /here/master"}},
      {R"({"here": {"kind": "tap", "master": "here"}})", {"INVALID_LINK /here/master"}},
      {R"({"here": {"kind": "tap", "port": {"isolated": true}}})", {"INVALID_LINK /here/port"}},
      {R"({"here": {"kind": "tap", "master": "b", "port": {"cost": 0, "priority": 64}}})",
       {"OUT_OF_RANGE /here/port/cost", "OUT_OF_RANGE /here/port/priority"}},
      {R"({"here": {"kind": "tap", "master": "b", "port": {"groupFwdMask": 65536}}})",
       {"OUT_OF_RANGE /here/port/groupFwdMask"}},
      {R"({"here": {"kind": "tap", "master": "b", "port": {"groupFwdMask": 10}}})",
       {"INVALID_LINK /here/port/groupFwdMask"}},
      {R"({"here": {"kind": "tap", "tap": {"owner": 4294967295, "user": 1}}})",
       {"UNKNOWN_KEY /here/tap/user", "OUT_OF_RANGE /here/tap/owner"}},
      {R"({"here": {"kind": "veth"}})", {"MISSING_KEY /here"}},
      {R"({"here": {"kind": "veth", "veth": {}}})", {"MISSING_KEY /here/veth"}},
      {R"({"here": {"kind": "veth", "veth": {"peer": "here"}}})", {"INVALID_LINK /here/veth/peer"}},
      {R"({"here": {"kind": "veth", "veth": {"peer": "a b"}}})",
       {"INVALID_INTERFACE_NAME /here/veth/peer"}},
      {R"({"here": {"kind": "veth", "veth": {"peer": "v1", "peerNetns": ""}}})",
       {"INVALID_LINK /here/veth/peerNetns"}},
      {R"({"here": {"kind": "veth", "veth": {"peer": "v1", "peerNetns": ".."}}})",
       {"INVALID_LINK /here/veth/peerNetns"}},
      {R"({"here": {"kind": "veth", "veth": {"peer": "v1", "peerNetns": "a/b"}}})",
       {"INVALID_LINK /here/veth/peerNetns"}},
      {R"({"here": {"kind": "veth", "veth": {"peerNetns": "x"}}})", {"MISSING_KEY /here/veth"}},
      {R"({"here": {"kind": "ifb", "ifb": {"queues": 1}}})", {"UNKNOWN_KEY /here/ifb/queues"}},
      {R"({"here": {"kind": "bridge", "bridge": {"noLinklocalLearn": 1}}})",
       {"WRONG_TYPE /here/bridge/noLinklocalLearn"}},
      {R"({"here": {"kind": "bridge", "bridge": {"forwardDelay": 1}}})",
       {"OUT_OF_RANGE /here/bridge/forwardDelay"}},
      {R"({"here": {"kind": "bridge", "bridge": {"forwardDelay": 31}}})",
       {"OUT_OF_RANGE /here/bridge/forwardDelay"}},
      {R"({"here": {"kind": "bridge", "bridge": {"stp": true, "forwardDelay": 0}}})",
       {"INVALID_LINK /here/bridge/forwardDelay"}},
      {R"({"here": {"kind": "bridge", "bridge": {"ageingTime": 4294967296}}})",
       {"OUT_OF_RANGE /here/bridge/ageingTime"}},
      {R"({"here": {"kind": "bridge", "alias": "a\nb"}})", {"INVALID_LINK /here/alias"}},
      {R"({"here": {"kind": "physical", "alias": "plumbline:1;;"}})", {"INVALID_LINK /here/alias"}},
  };
  for (const auto& [entry, faults] : table) {
    SpecText text(entry);
    static_cast<void>(read(text));
    EXPECT_EQ(text.faults(), faults) << entry;
  }
}

TEST(LinkFromSpec, SaysWhatIsWrongWithAVxlan) {
  const auto vxlan = [](std::string_view options) {
    SpecText text(R"({"here": {"kind": "vxlan", "vxlan": {)" + std::string(options) + "}}}");
    static_cast<void>(read(text));
    return text.faults();
  };
  const std::string at = "/here/vxlan";
  EXPECT_THAT(vxlan(R"("id": 0)"), IsEmpty());
  EXPECT_THAT(vxlan(R"("id": 16777215, "port": 1, "remote": "239.1.1.1", "device": "e")"),
              IsEmpty());
  EXPECT_THAT(vxlan(R"("port": 4789)"), ElementsAre("MISSING_KEY " + at));
  EXPECT_THAT(vxlan(R"("id": 16777216)"), ElementsAre("OUT_OF_RANGE " + at + "/id"));
  EXPECT_THAT(vxlan(R"("id": 1, "port": 0)"), ElementsAre("OUT_OF_RANGE " + at + "/port"));
  EXPECT_THAT(vxlan(R"("id": 1, "local": "10.0.0.0/8")"),
              ElementsAre("INVALID_LINK " + at + "/local"));
  EXPECT_THAT(vxlan(R"("id": 1, "remote": "::")"), ElementsAre("INVALID_LINK " + at + "/remote"));
  EXPECT_THAT(vxlan(R"("id": 1, "local": "224.0.0.1", "device": "e")"),
              ElementsAre("INVALID_LINK " + at + "/local"));
  EXPECT_THAT(vxlan(R"("id": 1, "local": "10.0.0.1", "remote": "fd00::1")"),
              ElementsAre("INVALID_LINK " + at + "/remote"));
  EXPECT_THAT(vxlan(R"("id": 1, "remote": "239.1.1.1")"), ElementsAre("INVALID_LINK " + at));
  EXPECT_THAT(vxlan(R"("id": 1, "remote": "fe80::1")"), ElementsAre("INVALID_LINK " + at));
  EXPECT_THAT(vxlan(R"("id": 1, "device": "here")"), ElementsAre("INVALID_LINK " + at + "/device"));
  EXPECT_THAT(vxlan(R"("id": 1, "ttl": 5)"), ElementsAre("UNKNOWN_KEY " + at + "/ttl"));
}

TEST(LinkFromSpec, TakesAnotherNamespaceByNameOrByPath) {
  for (const std::string where : {"guest", "/proc/1/ns/net"}) {
    SpecText text(R"({"here": {"kind": "veth", "veth": {"peer": "here", "peerNetns": ")" + where +
                  R"("}}})");
    const auto link = read(text);
    ASSERT_THAT(text.faults(), IsEmpty());
    EXPECT_EQ(link->veth, (VethOptions{name("here"), where})) << "there the name is free";
    EXPECT_EQ(boost::json::serialize(to_spec(*link).at("veth")),
              R"({"peer":"here","peerNetns":")" + where + R"("})");
  }
}

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

}  // namespace
}  // namespace plumbline
