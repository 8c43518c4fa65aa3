// Links in a real kernel: made, changed, put back and removed, with ip(8) as the witness.

#include <gmock/gmock.h>

#include <cerrno>

#include "tests/kinds/link_in_kernel.hpp"

namespace plumbline {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

// ---- making -------------------------------------------------------------------------------------

TEST_F(LinkInKernel, MakesABridgeWithEverythingTheSpecSays) {
  ASSERT_EQ(make(whole_bridge()), 0);
  const Link have = seen("br0");
  EXPECT_EQ(complete(whole_bridge(), have), have);
  EXPECT_EQ(have.alias, "the guests");
  const std::string shown = ip("-d link show br0");
  EXPECT_THAT(shown, HasSubstr("alias plumbline:1;;the guests"));
  EXPECT_THAT(shown, HasSubstr("group default"));
  EXPECT_THAT(shown, HasSubstr("forward_delay 300 "));
  EXPECT_EQ(make(whole_bridge()), EEXIST);
}

TEST_F(LinkInKernel, MakesATapInABridge) {
  if (!has_tun()) GTEST_SKIP() << "/dev/net/tun cannot be opened here";
  ASSERT_EQ(make(whole_bridge()), 0);
  ASSERT_EQ(make(whole_tap()), 0);
  const Link have = seen("t0");
  EXPECT_EQ(complete(whole_tap(), have), have);
  EXPECT_EQ(have.tap, (TapOptions{1000, 1001, true, true}));
  EXPECT_EQ(have.carrier, false);
  EXPECT_THAT(ip("-d link show t0"), HasSubstr("alias plumbline:1;;"));
}

TEST_F(LinkInKernel, KeepsTheAssignmentOfATapBesideTheUsersAlias) {
  if (!has_tun()) GTEST_SKIP() << "/dev/net/tun cannot be opened here";
  ASSERT_EQ(make(whole_bridge()), 0);
  Link tap = whole_tap();
  tap.alias = "the; guest";
  tap.assignment = "br0/vm-1/eth0,10.0.0.2/24,02:00:00:00:00:10,eth0";
  ASSERT_EQ(make(tap), 0);
  EXPECT_THAT(ip("-d link show t0"),
              HasSubstr("alias plumbline:1;" + tap.assignment + ";the; guest"));
  EXPECT_EQ(seen("t0").assignment, tap.assignment);
  EXPECT_EQ(seen("t0").alias, tap.alias);
  repairs(tap, {"link set t0 alias plumbline:1;br0/vm-2/eth0;the"});
}

TEST_F(LinkInKernel, MakesBothEndsOfAVethPair) {
  ASSERT_EQ(make(whole_veth()), 0);
  EXPECT_TRUE(seen("v1").marked);
  ASSERT_EQ(make(other_end()), 0);
  const Link first = seen("v0");
  const Link second = seen("v1");
  EXPECT_EQ(complete(whole_veth(), first), first);
  EXPECT_EQ(complete(other_end(), second), second);
  EXPECT_EQ(first.veth->peer, name("v1"));
  EXPECT_EQ(second.veth->peer, name("v0"));
}

TEST_F(LinkInKernel, KeepsTheMtuAndTheMacOfABridgeWhenPortsComeAndGo) {
  for (const std::uint32_t mtu : {1400U, 1500U, 9000U}) {
    SCOPED_TRACE(mtu);
    Link bridge = whole_bridge();
    bridge.mtu = mtu;
    ASSERT_EQ(make(bridge), 0);
    Link veth = whole_veth();
    veth.mac = Mac::parse("00:00:00:00:00:01");
    veth.master = name("br0");
    ASSERT_EQ(make(veth), 0);
    EXPECT_EQ(seen("br0").mtu, mtu);
    EXPECT_EQ(seen("br0").mac, bridge.mac);
    ip("link delete v0");
    EXPECT_EQ(seen("br0").mtu, mtu);
    ip("link delete br0");
  }
}

TEST_F(LinkInKernel, FinishesALinkThatWasCutOffBeforeItHadItsAlias) {
  ASSERT_EQ(send({create(whole_bridge(), {}).front()}), 0);
  const Link have = seen("br0");
  EXPECT_TRUE(have.marked);
  EXPECT_EQ(have.alias, std::nullopt);
  const Link want = complete(marked("br0", LinkKind::bridge), have);
  ASSERT_EQ(transition(have, want).change, Change::update);
  ASSERT_EQ(change(have, want), 0);
  EXPECT_EQ(seen("br0").alias, "");
  EXPECT_THAT(ip("link show br0"), HasSubstr("group default"));
  ASSERT_EQ(change(want, have), 0);
  EXPECT_EQ(seen("br0"), have);
}

TEST_F(LinkInKernel, FinishesATapThatWasLeftInAGroupOfLinksToBeRemoved) {
  if (!has_tun()) GTEST_SKIP() << "/dev/net/tun cannot be opened here";
  ASSERT_EQ(make(whole_bridge()), 0);
  Link tap = whole_tap();
  tap.alias = "mine";
  tap.assignment = "br0/vm-1/eth0,10.0.0.2/24,02:00:00:00:00:10,eth0";
  ASSERT_EQ(make(tap), 0);
  repairs(tap, {"link set t0 group 1347177795"});
  EXPECT_THAT(ip("link show t0"), HasSubstr("group " + std::to_string(guest_group)));
  repairs(tap, {"link set t0 group default"});
  EXPECT_THAT(ip("link show t0"), HasSubstr("group " + std::to_string(guest_group)));
  repairs(tap, {"link set t0 alias theirs"});
  repairs(tap, {"link set t0 arp on"});
  EXPECT_THAT(ip("link show t0"), HasSubstr("NOARP"));
  ip("link set t0 group 1347177810");
  const Link have = seen("t0");
  EXPECT_TRUE(have.marked);
  EXPECT_EQ(have.alias, std::nullopt);
  ASSERT_EQ(change(have, complete(tap, have)), 0);
  ASSERT_EQ(change(complete(tap, have), have), 0);
  EXPECT_EQ(seen("t0"), have);
}

TEST_F(LinkInKernel, LeavesAPortDownWhoseSettingsAreRefused) {
  ASSERT_EQ(make(whole_bridge()), 0);
  Link veth = whole_veth();
  veth.master = name("br0");
  veth.port = PortSettings{true, {}, {}, {}, std::uint16_t{64}, {}};
  EXPECT_EQ(make(veth), ERANGE);
  EXPECT_EQ(seen("v0").master, name("br0"));
  EXPECT_EQ(seen("v0").up, false);
}

TEST_F(LinkInKernel, ANewPortHasTheSettingsThatNothingIsSaidOf) {
  ASSERT_EQ(make(whole_bridge()), 0);
  Link veth = whole_veth();
  veth.master = name("br0");
  ASSERT_EQ(make(veth), 0);
  PortSettings fresh = seen("v0").port.value();
  fresh.cost.reset();
  EXPECT_EQ(fresh, (PortSettings{false, true, false, {}, std::uint16_t{32}, std::uint16_t{0}}));
}

TEST_F(LinkInKernel, PutsAnAliasOf255BytesAndTakesItAway) {
  Link bridge = whole_bridge();
  bridge.alias = std::string(242, 'x');
  ASSERT_EQ(make(bridge), 0);
  EXPECT_EQ(seen("br0").alias, bridge.alias);
  Link disowned = seen("br0");
  disowned.marked = false;
  disowned.alias = "";
  ASSERT_EQ(change(seen("br0"), disowned), 0);
  EXPECT_EQ(seen("br0"), disowned);
  EXPECT_THAT(ip("link show br0"), Not(HasSubstr("alias")));
}

TEST_F(LinkInKernel, RefusesAMasterThatIsNotThere) {
  Link veth = whole_veth();
  veth.master = name("br9");
  EXPECT_NE(make(veth), 0);
}

// ---- repairing ----------------------------------------------------------------------------------

TEST_F(LinkInKernel, SeesAndRepairsEachFieldOfABridge) {
  ASSERT_EQ(make(whole_bridge()), 0);
  const Link bridge = whole_bridge();
  repairs(bridge, {"link set br0 down"});
  repairs(bridge, {"link set br0 mtu 1399"});
  repairs(bridge, {"link set br0 address 02:00:00:00:00:99"});
  repairs(bridge, {"link set br0 txqueuelen 5"});
  repairs(bridge, {"link set br0 alias plumbline:1;;other"});
  repairs(bridge, {"link set br0 type bridge stp_state 0"});
  repairs(bridge,
          {"link set br0 type bridge stp_state 0", "link set br0 type bridge forward_delay 0"});
  repairs(bridge, {"link set br0 type bridge forward_delay 400"});
  repairs(bridge, {"link set br0 type bridge ageing_time 100"});
  if (bridges_filter_vlans()) repairs(bridge, {"link set br0 type bridge vlan_filtering 0"});
  repairs(bridge, {"link set br0 type bridge mcast_snooping 1"});
  repairs(bridge, {"link set br0 type bridge no_linklocal_learn 0"});
}

TEST_F(LinkInKernel, SeesAndRepairsEachFieldOfAPort) {
  if (!has_tun()) GTEST_SKIP() << "/dev/net/tun cannot be opened here";
  ip("link add br1 address 02:00:00:00:00:21 type bridge");
  ASSERT_EQ(make(whole_bridge()), 0);
  ASSERT_EQ(make(whole_tap()), 0);
  const Link tap = whole_tap();
  repairs(tap, {"link set t0 down"});
  repairs(tap, {"link set t0 nomaster"});
  repairs(tap, {"link set t0 master br1"});
  repairs(tap, {"link set t0 mtu 1000"});
  repairs(tap, {"link set t0 address 02:00:00:00:00:98"});
  repairs(tap, {"link set t0 type bridge_slave isolated off"});
  repairs(tap, {"link set t0 type bridge_slave learning on"});
  repairs(tap, {"link set t0 type bridge_slave hairpin off"});
  repairs(tap, {"link set t0 type bridge_slave cost 3"});
  repairs(tap, {"link set t0 type bridge_slave priority 3"});
  repairs(tap, {"link set t0 type bridge_slave group_fwd_mask 8"});
}

TEST_F(LinkInKernel, RepairsTheOwnerOfATap) {
  if (!has_tun()) GTEST_SKIP() << "/dev/net/tun cannot be opened here";
  ASSERT_EQ(make(whole_bridge()), 0);
  ASSERT_EQ(make(whole_tap()), 0);
  Link other = whole_tap();
  other.tap = TapOptions{7, 8, {}, {}};
  goes_and_comes_back({whole_tap(), other});
}

TEST_F(LinkInKernel, DoesNotTakeAnUnmarkedLinkForOurs) {
  ip("link add br0 type bridge");
  ip("link set br0 alias plumbline");
  EXPECT_FALSE(seen("br0").marked);
  EXPECT_EQ(seen("br0").alias, "plumbline");
}

// ---- and back -----------------------------------------------------------------------------------

TEST_F(LinkInKernel, PutsABridgeBackAsItWas) {
  ASSERT_EQ(make(whole_bridge()), 0);
  Link plain = marked("br0", LinkKind::bridge);
  plain.up = false;
  plain.mtu = 1500;
  plain.mac = Mac::parse("02:00:00:00:00:11");
  plain.alias = "";
  plain.bridge = BridgeOptions{false, 0, 30000, false, true, false};
  Link slow = whole_bridge();
  slow.bridge = BridgeOptions{true, 3000, 0, false, true, true};
  goes_and_comes_back({whole_bridge(), plain, slow});
}

TEST_F(LinkInKernel, PutsAPortBackAsItWas) {
  ip("link add br1 address 02:00:00:00:00:21 type bridge");
  ASSERT_EQ(make(whole_bridge()), 0);
  ASSERT_EQ(make(whole_veth()), 0);
  Link free = whole_veth();
  Link in_one = free;
  in_one.master = name("br0");
  in_one.port = PortSettings{true, false, true, 17, std::uint16_t{9}, std::uint16_t{0xfffd}};
  Link in_other = free;
  in_other.master = name("br1");
  in_other.port = PortSettings{false, {}, {}, {}, {}, {}};
  in_other.up = false;
  // `free` says nothing of the master: only at the start is it none.
  const Link before = seen("v0");
  for (const Link& value : {in_one, in_other}) {
    const Link want = complete(value, before);
    ASSERT_EQ(change(before, want), 0);
    const Link after = seen("v0");
    EXPECT_EQ(complete(want, after), after);
    ASSERT_EQ(change(want, before), 0);
    EXPECT_EQ(seen("v0"), before);
  }
  goes_and_comes_back({in_one, in_other});
}

// ---- removing -----------------------------------------------------------------------------------

TEST_F(LinkInKernel, RemovesLinksAndPairs) {
  ASSERT_EQ(make(whole_bridge()), 0);
  ASSERT_EQ(make(whole_veth()), 0);
  ASSERT_EQ(make(other_end()), 0);
  EXPECT_EQ(send(remove(seen("v1"), observe().names)), 0);
  EXPECT_TRUE(find("v1"));
  EXPECT_EQ(send(remove(seen("v0"), observe().names)), 0);
  EXPECT_FALSE(find("v1"));
  EXPECT_EQ(send(remove(seen("br0"), observe().names)), 0);
  EXPECT_FALSE(find("br0"));
  if (!has_tun()) return;
  Link tap = marked("t0", LinkKind::tap);
  ASSERT_EQ(make(tap), 0);
  EXPECT_EQ(send(remove(tap, observe().names)), 0);
  EXPECT_FALSE(find("t0"));
}

TEST_F(LinkInKernel, NeverTakesAnAlternativeNameForTheLinkOfThatName) {
  ASSERT_EQ(make(whole_bridge()), 0);
  const auto before = observe();
  const Link bridge = seen("br0");
  ip("link delete br0");
  ip("link add v0 type veth peer name v1");
  ip("link property add dev v0 altname br0");
  const Link stranger = seen("v0");
  EXPECT_EQ(make(whole_bridge()), EEXIST);
  EXPECT_NE(send(remove(bridge, before.names)), 0);
  Link want = bridge;
  want.mtu = 900;
  EXPECT_NE(send(update(bridge, want, before.names)), 0);
  EXPECT_EQ(observe().names.index(name("br0")), 0U);
  EXPECT_EQ(seen("v0"), stranger);
}

}  // namespace
}  // namespace plumbline
