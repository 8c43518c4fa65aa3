#include "plumbline/spec/expand.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/spec/loaded.hpp"

namespace plumbline::spec {

using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace {

Desired expand_members(const std::string& members) {
  auto loaded = load_members(members);
  EXPECT_THAT(loaded.errors, IsEmpty());
  return expand(std::move(loaded.spec), Mark{});
}

const Link& link(const Desired& desired, std::string_view name) {
  const Link* const found = desired.state.find<Link>({*IfName::parse(name)});
  EXPECT_NE(found, nullptr);
  return *found;
}

}  // namespace

TEST(Expand, AddsTheOtherEndOfAVethPair) {
  const auto desired =
      expand_members(R"("links": {"z0": {"kind": "veth", "up": false, "veth": {"peer": "a0"}}})");
  ASSERT_THAT(desired.state.of<Link>(), SizeIs(2));
  const Link& peer = link(desired, "a0");
  EXPECT_EQ(peer.kind, LinkKind::veth);
  EXPECT_EQ(peer.veth, VethOptions{IfName::parse("z0")});
  EXPECT_EQ(peer.up, false);
  EXPECT_EQ(peer.mtu, std::nullopt);
  EXPECT_TRUE(peer.marked);
  EXPECT_EQ(format(desired.origins.at(key(peer))),
            format(desired.origins.at(key(link(desired, "z0")))));
  EXPECT_EQ(desired.state.of<Link>()[0].name, peer.name) << "sorted";
}

TEST(Expand, LeavesAVethPairAloneThatIsGivenWhole) {
  const auto desired = expand_members(
      R"("links": {"v0": {"kind": "veth", "veth": {"peer": "v1"}},
                   "v1": {"kind": "veth", "up": false, "mtu": 1400, "veth": {"peer": "v0"}}})");
  ASSERT_THAT(desired.state.of<Link>(), SizeIs(2));
  EXPECT_EQ(link(desired, "v0").up, true);
  EXPECT_EQ(link(desired, "v1").up, false);
  EXPECT_EQ(link(desired, "v1").mtu, 1400U);
}

TEST(Expand, MarksWhatCanCarryAMark) {
  const auto desired = expand_members(R"(
    "links": {"br0": {"kind": "bridge", "addresses": ["10.0.0.1/24"]}, "eth0": {"kind": "physical"}},
    "routes": [{"to": "10.9.0.0/16", "type": "blackhole"}],
    "rules": [{"priority": 1000, "table": 100}],
    "iptables": {"filter": {"chains": {"A": {}}, "shared": {"FORWARD": {"insert": ["-j A"]}}}})");
  const Mark mark;
  EXPECT_TRUE(is_marked(link(desired, "br0"), mark));
  EXPECT_FALSE(is_marked(link(desired, "eth0"), mark)) << "a physical link is never ours";
  EXPECT_TRUE(is_marked(desired.state.of<Address>().at(0), mark));
  EXPECT_TRUE(is_marked(desired.state.of<Route>().at(0), mark));
  EXPECT_TRUE(is_marked(desired.state.of<Rule>().at(0), mark));
  EXPECT_TRUE(is_marked(desired.state.of<Chain>().at(0), mark));
  EXPECT_TRUE(is_marked(desired.state.of<SharedChain>().at(0), mark));
}

TEST(Expand, KnowsThePlacesOfObjectsByTheirMarkedKeys) {
  const auto desired = expand_members(R"(
    "rules": [{"priority": 1000, "table": 100}, {"priority": 1001, "table": 100}],
    "routes": [{"to": "10.9.0.0/16", "type": "blackhole"}],
    "iptables": {"filter": {"chains": {"A": {"rules": ["-j ACCEPT"]}}}})");
  EXPECT_EQ(desired.origins.size(), 4U);
  for (const Rule& rule : desired.state.of<Rule>()) {
    EXPECT_TRUE(desired.origins.contains(key(rule)));
  }
  EXPECT_TRUE(desired.origins.contains(key(desired.state.of<Route>().at(0))));
  EXPECT_EQ(desired.rule_origins.at(key(desired.state.of<Chain>().at(0))).size(), 1U);
}

TEST(Expand, DoesNotDependOnTheOrderInTheFile) {
  const std::string one = R"({"to": "10.1.0.0/16", "type": "blackhole"})";
  const std::string two = R"({"to": "10.2.0.0/16", "type": "blackhole"})";
  EXPECT_EQ(expand_members("\"routes\": [" + one + "," + two + "]").state,
            expand_members("\"routes\": [" + two + "," + one + "]").state);
}

}  // namespace plumbline::spec
