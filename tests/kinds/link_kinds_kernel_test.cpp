// VXLANs, IFBs and pairs into another namespace, in a real kernel with ip(8) as the witness.

#include <gmock/gmock.h>

#include <cerrno>

#include "tests/kinds/link_in_kernel.hpp"
#include "tests/support/elsewhere.hpp"

namespace plumbline {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

std::optional<IpAddress> ip_address(std::string_view text) { return IpAddress::parse(text); }

Link whole_vxlan() {
  Link vxlan = marked("vx0", LinkKind::vxlan);
  vxlan.mtu = 1400;
  vxlan.mac = Mac::parse("02:00:00:00:00:04");
  vxlan.tx_queue_length = 66;
  vxlan.alias = "to the other site";
  vxlan.vxlan = VxlanOptions{
      10U, ip_address("192.0.2.1"), ip_address("192.0.2.2"), std::uint16_t{4789}, name("v0"), true};
  return vxlan;
}

class MoreLinksInKernel : public LinkInKernel {
 protected:
  void SetUp() override {
    LinkInKernel::SetUp();
    if (IsSkipped()) return;
    ip("link add v0 type veth peer name v1");
    ip("address add 192.0.2.1/24 dev v0");
  }

  Change change_to(const Link& want) {
    const Link have = seen(want.name.view());
    return transition(have, complete(want, have)).change;
  }
};

// ---- vxlan --------------------------------------------------------------------------------------

TEST_F(MoreLinksInKernel, MakesAVxlanWithEverythingTheSpecSays) {
  ASSERT_EQ(make(whole_vxlan()), 0);
  const Link have = seen("vx0");
  EXPECT_EQ(complete(whole_vxlan(), have), have);
  EXPECT_EQ(have.vxlan, whole_vxlan().vxlan);
  const std::string shown = ip("-d link show vx0");
  EXPECT_THAT(shown, HasSubstr("vxlan id 10 remote 192.0.2.2 local 192.0.2.1 dev v0"));
  EXPECT_THAT(shown, HasSubstr("dstport 4789"));
  EXPECT_THAT(shown, HasSubstr("alias plumbline:1;;to the other site"));
  EXPECT_THAT(shown, HasSubstr("group default"));
  EXPECT_EQ(make(whole_vxlan()), EEXIST);
}

TEST_F(MoreLinksInKernel, MakesAVxlanOfWhichOnlyTheIdIsSaid) {
  Link vxlan = marked("vx0", LinkKind::vxlan);
  vxlan.vxlan = VxlanOptions{11U, {}, {}, {}, {}, {}};
  ASSERT_EQ(make(vxlan), 0);
  EXPECT_EQ(seen("vx0").vxlan, (VxlanOptions{11U, {}, {}, default_vxlan_port, {}, true}));
  EXPECT_EQ(change_to(vxlan), Change::none);
}

TEST_F(MoreLinksInKernel, MakesAVxlanOverIpv6) {
  Link vxlan = marked("vx0", LinkKind::vxlan);
  vxlan.vxlan = VxlanOptions{
      11U, ip_address("2001:db8::1"), ip_address("2001:db8::2"), std::uint16_t{4789}, {}, false};
  ASSERT_EQ(make(vxlan), 0);
  EXPECT_EQ(seen("vx0").vxlan, vxlan.vxlan);
  Link other = vxlan;
  other.vxlan->remote = ip_address("2001:db8::3");
  goes_and_comes_back({vxlan, other});
}

TEST_F(MoreLinksInKernel, SeesAndRepairsEachFieldOfAVxlan) {
  ASSERT_EQ(make(whole_vxlan()), 0);
  const Link vxlan = whole_vxlan();
  repairs(vxlan, {"link set vx0 down"});
  repairs(vxlan, {"link set vx0 mtu 1300"});
  repairs(vxlan, {"link set vx0 address 02:00:00:00:00:99"});
  repairs(vxlan, {"link set vx0 type vxlan id 10 local 192.0.2.7"});
  repairs(vxlan, {"link set vx0 type vxlan id 10 remote 192.0.2.7"});
  repairs(vxlan, {"link set vx0 type vxlan id 10 remote 0.0.0.0"});
  repairs(vxlan, {"link set vx0 type vxlan id 10 nolearning"});
}

TEST_F(MoreLinksInKernel, TakesTheAddressesOfAVxlanAwayAgain) {
  Link bare = marked("vx0", LinkKind::vxlan);
  bare.vxlan = VxlanOptions{10U, {}, {}, std::uint16_t{4789}, {}, {}};
  ASSERT_EQ(make(bare), 0);
  const Link before = seen("vx0");
  Link addressed = before;
  addressed.vxlan->local = ip_address("192.0.2.1");
  addressed.vxlan->remote = ip_address("192.0.2.2");
  ASSERT_EQ(change(before, addressed), 0);
  EXPECT_EQ(seen("vx0"), addressed);
  ASSERT_EQ(change(addressed, before), 0);
  EXPECT_EQ(seen("vx0"), before);
}

TEST_F(MoreLinksInKernel, MakesAVxlanAnewForWhatTheKernelCannotChange) {
  ASSERT_EQ(make(whole_vxlan()), 0);
  Link want = whole_vxlan();
  want.vxlan->id = 12;
  EXPECT_EQ(change_to(want), Change::replace);
  EXPECT_NE(test::run({"ip", "link", "set", "vx0", "type", "vxlan", "id", "12"}).status, 0);
  want = whole_vxlan();
  want.vxlan->local = ip_address("2001:db8::1");
  want.vxlan->remote = ip_address("2001:db8::2");
  EXPECT_EQ(change_to(want), Change::replace);
  EXPECT_NE(
      test::run({"ip", "link", "set", "vx0", "type", "vxlan", "id", "10", "local", "2001:db8::1"})
          .status,
      0);
}

TEST_F(MoreLinksInKernel, RefusesAnMtuThatTheKernelWouldCut) {
  Link vxlan = whole_vxlan();
  vxlan.mtu = 1451;
  EXPECT_EQ(make(vxlan), EINVAL);
  ip("link delete vx0");
  vxlan.mtu = 1450;
  EXPECT_EQ(make(vxlan), 0);
}

TEST_F(MoreLinksInKernel, SeesAVxlanGoWithItsDevice) {
  ASSERT_EQ(make(whole_vxlan()), 0);
  ip("link delete v0");
  EXPECT_FALSE(find("vx0"));
  EXPECT_NE(make(whole_vxlan()), 0) << "the device is not there";
  EXPECT_FALSE(find("vx0"));
}

TEST_F(MoreLinksInKernel, SeesTwoVxlansOfOneIdAndPortExcludeEachOther) {
  ASSERT_EQ(make(whole_vxlan()), 0);
  Link other = whole_vxlan();
  other.name = name("vx1");
  EXPECT_TRUE(exclude_each_other(whole_vxlan(), other));
  EXPECT_EQ(make(other), EEXIST);
  other.vxlan->port = 4790;
  EXPECT_EQ(make(other), 0);
}

// ---- ifb ----------------------------------------------------------------------------------------

TEST_F(MoreLinksInKernel, MakesAnIfbAndAnewForAnotherMac) {
  Link ifb = marked("ifb7", LinkKind::ifb);
  ifb.mtu = 2000;
  ifb.mac = Mac::parse("02:00:00:00:00:05");
  ifb.tx_queue_length = 55;
  ifb.alias = "shaped";
  ASSERT_EQ(make(ifb), 0);
  const Link have = seen("ifb7");
  EXPECT_EQ(have.kind, LinkKind::ifb);
  EXPECT_EQ(complete(ifb, have), have);
  repairs(ifb, {"link set ifb7 down"});
  repairs(ifb, {"link set ifb7 mtu 1300"});
  repairs(ifb, {"link set ifb7 txqueuelen 7"});
  ifb.mac = Mac::parse("02:00:00:00:00:06");
  EXPECT_EQ(change_to(ifb), Change::replace);
  EXPECT_NE(change(have, ifb), 0);
}

// ---- a peer elsewhere ---------------------------------------------------------------------------

TEST_F(MoreLinksInKernel, MakesAPeerInAnotherNamespaceAndLeavesItAlone) {
  const Elsewhere elsewhere;
  Link want = marked("w0", LinkKind::veth);
  want.veth = VethOptions{name("eth0"), elsewhere.path()};
  ASSERT_EQ(make(want), 0);
  const Link have = seen("w0");
  EXPECT_EQ(have.veth, VethOptions());
  EXPECT_EQ(complete(want, have), have);
  EXPECT_FALSE(find("eth0"));
  const std::string there = elsewhere.ip("-d link show eth0");
  EXPECT_THAT(there, HasSubstr("state DOWN"));
  EXPECT_THAT(there, HasSubstr("group default"));
  EXPECT_THAT(there, Not(HasSubstr("alias")));
  EXPECT_THAT(elsewhere.ip("link set eth0 name renamed"), "");
  EXPECT_EQ(change_to(want), Change::none);
  EXPECT_EQ(send(remove(have, observe().names)), 0);
  EXPECT_THAT(elsewhere.ip("link show renamed"), HasSubstr("does not exist"));
}

TEST_F(MoreLinksInKernel, MakesNothingWhereTheNamespaceIsMissing) {
  for (const std::string where : {"/proc/self/ns/mnt", "/nowhere", "there-is-no-such-namespace"}) {
    SCOPED_TRACE(where);
    Link want = marked("w0", LinkKind::veth);
    want.veth = VethOptions{name("eth0"), where};
    const auto requests = create(want, observe().names);
    const auto reply = host().exchange(std::span(requests).first(1)).front();
    EXPECT_EQ(reply.error, ENOENT);
    EXPECT_THAT(reply.message, HasSubstr("network namespace"));
    EXPECT_THAT(reply.message, HasSubstr(where));
    EXPECT_FALSE(find("w0"));
  }
}

TEST_F(MoreLinksInKernel, MakesNoPeerOfANameOfTheKernels) {
  const Elsewhere elsewhere;
  Link want = marked("w0", LinkKind::veth);
  want.veth = VethOptions{name("eth0"), elsewhere.path()};
  ASSERT_EQ(make(want), 0);
  const Link have = seen("w0");
  ASSERT_EQ(send(remove(have, observe().names)), 0);
  const auto before = observe().all;
  EXPECT_NE(make(have), 0) << "undoing does not know where it was";
  EXPECT_EQ(observe().all, before);
}

}  // namespace
}  // namespace plumbline
