// Links without a kernel: how one value becomes another, and what is asked for.

#include <gmock/gmock.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <tuple>

#include "plumbline/wire/netlink.hpp"
#include "tests/kinds/any_link.hpp"

namespace plumbline {
namespace {

using namespace test;
using testing::IsEmpty;

// ---- one value becomes another ------------------------------------------------------------------

TEST(CompleteLink, ForgetsNoField) {
  EXPECT_TRUE(rc::check([] {
    Link have = any_link(any_kind(), true);
    have.marked = *rc::gen::arbitrary<bool>();
    have.carrier = *rc::gen::arbitrary<bool>();
    have.promote_secondaries = *rc::gen::arbitrary<bool>();
    have.has_qdisc = *rc::gen::arbitrary<bool>();
    // When this no longer compiles there is a new field: any_link() and complete() need it too.
    const auto& [n, kind, up, mtu, mac, master, txq, alias, assignment, bridge, tap, veth, vxlan,
                 options, device, port, marked, c, p, q, altnames] = have;
    static_cast<void>(std::tie(n, kind, up, mtu, mac, master, txq, alias, assignment, bridge, tap,
                               veth, vxlan, options, device, port, marked, c, p, q, altnames));
    Link want;
    want.name = n;
    want.kind = kind;
    want.marked = marked;
    want.assignment = assignment;
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
  have.port = PortSettings{true, false, true, 7, std::uint16_t{9}, {}};
  Link want = have;
  want.master = name("br1");
  want.port = PortSettings{true, {}, {}, {}, {}, {}};
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

Link vxlan(const VxlanOptions& options) {
  Link link;
  link.name = name("vx0");
  link.kind = LinkKind::vxlan;
  link.alias = "";
  link.vxlan = options;
  return link;
}

TEST(LinkTransition, ReplacesAVxlanWhenWhatItWasMadeWithChanges) {
  const VxlanOptions have{7U, IpAddress::parse("192.0.2.1"), {}, std::uint16_t{4789}, {}, true};
  const auto change = [&](const auto& edit) {
    VxlanOptions want = have;
    edit(want);
    return transition(vxlan(have), complete(vxlan(want), vxlan(have))).change;
  };
  EXPECT_EQ(change([](VxlanOptions& o) { o.id = 8; }), Change::replace);
  EXPECT_EQ(change([](VxlanOptions& o) { o.port = 8472; }), Change::replace);
  EXPECT_EQ(change([](VxlanOptions& o) { o.device = name("eth0"); }), Change::replace);
  EXPECT_EQ(change([](VxlanOptions& o) { o.remote = IpAddress::parse("239.1.1.1"); }),
            Change::replace);
  EXPECT_EQ(change([](VxlanOptions& o) { o.local = IpAddress::parse("fd00::1"); }),
            Change::replace);
  EXPECT_EQ(change([](VxlanOptions& o) { o.local = IpAddress::parse("192.0.2.9"); }),
            Change::update);
  EXPECT_EQ(change([](VxlanOptions& o) { o.remote = IpAddress::parse("192.0.2.9"); }),
            Change::update);
  EXPECT_EQ(change([](VxlanOptions& o) { o.learning = false; }), Change::update);
  EXPECT_EQ(change([](VxlanOptions& o) { o = VxlanOptions{7U, {}, {}, {}, {}, {}}; }),
            Change::none);
}

TEST(LinkTransition, ReplacesAnIfbForAnotherMac) {
  Link have;
  have.name = name("ifb7");
  have.kind = LinkKind::ifb;
  have.alias = "";
  have.mac = Mac::parse("02:00:00:00:00:07");
  Link want = have;
  want.mac = Mac::parse("02:00:00:00:00:08");
  EXPECT_EQ(transition(have, complete(want, have)).change, Change::replace);
  want.mac.reset();
  EXPECT_EQ(transition(have, complete(want, have)).change, Change::none);
}

TEST(LinkTransition, AsksForANamespaceOnlyWhileThePeerIsHere) {
  Link want = veth("a", "b");
  want.veth->peer_netns = "guest";
  Link have = veth("a", "b");
  EXPECT_EQ(transition(have, complete(want, have)).change, Change::replace);
  have.veth->peer.reset();
  have.alias = "";
  EXPECT_EQ(transition(have, complete(want, have)).change, Change::none);
}

TEST(LinkPair, IsMadeByTheOnlyEndThatIsHere) {
  Link link = veth("b", "a");
  EXPECT_FALSE(makes_the_pair(link));
  link.veth->peer_netns = "guest";
  EXPECT_TRUE(makes_the_pair(link));
  EXPECT_EQ(peer_here(link), std::nullopt);
  EXPECT_THAT(needs(link), IsEmpty());
  const auto requests = create(link, LinkNames());
  EXPECT_EQ(std::get<wire::NamespaceChange>(requests.front()).netns, "guest");
}

TEST(LinkPair, WhoseOtherEndIsNotKnownIsNotMadeAnew) {
  Link link = veth("a", "b");
  link.veth->peer.reset();
  const auto requests = create(link, LinkNames());
  EXPECT_EQ(std::get<wire::NamespaceChange>(requests.front()).netns, "");
}

TEST(Vxlans, ExcludeEachOtherByIdAndPort) {
  const Link one = vxlan({7U, {}, {}, {}, {}, {}});
  Link other = vxlan({7U, {}, {}, default_vxlan_port, {}, {}});
  EXPECT_FALSE(exclude_each_other(one, other)) << "the same one";
  other.name = name("vx1");
  EXPECT_TRUE(exclude_each_other(one, other));
  other.vxlan->port = 4789;
  EXPECT_FALSE(exclude_each_other(one, other));
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
  have.kind = LinkKind::tap;
  EXPECT_EQ(disrupts([](Link& l) { l.assignment = "its first"; }), Disruption::nothing);
  have.assignment = "what the guest still has";
  EXPECT_EQ(disrupts([](Link& l) { l.assignment = "another"; }), Disruption::traffic);
  EXPECT_EQ(disrupts([](Link& l) { l.mac = Mac::parse("02:00:00:00:00:ff"); }),
            Disruption::nothing);
}

// ---- what is asked of the kernel ----------------------------------------------------------------

TEST(LinkNeeds, ItsMasterItsDeviceAndTheEndThatMakesThePair) {
  Link link = veth("b", "a");
  link.master = name("br0");
  EXPECT_EQ(needs(link), (std::vector<Need>{NeedsLink{name("br0")}, NeedsLink{name("a")}}));
  EXPECT_THAT(needs(veth("a", "b")), IsEmpty());
  EXPECT_EQ(needs(vxlan({7U, {}, {}, {}, name("eth0"), {}})),
            (std::vector<Need>{NeedsLink{name("eth0")}}));
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

TEST(CreateLink, IsolatesAPortNotLaterThanItIsUp) {
  Link link = veth("a", "b");
  link.master = name("br0");
  link.port = PortSettings{true, {}, {}, {}, {}, {}};
  LinkNames links;
  links.add(7, name("br0"));
  const auto requests = create(link, links);
  ASSERT_EQ(requests.size(), 3U);
  using Pair = std::pair<bool, bool>;
  EXPECT_EQ(up_and_port(requests[0]), Pair(false, false));
  EXPECT_EQ(up_and_port(requests[1]), Pair(false, false));
  EXPECT_EQ(up_and_port(requests[2]), Pair(true, true));
}

TEST(CreateLink, SaysNothingOfSettingsThatEveryNewPortHas) {
  Link link = veth("a", "b");
  link.master = name("br0");
  link.port = PortSettings{false, true, false, {}, std::uint16_t{32}, std::uint16_t{0}};
  LinkNames links;
  links.add(7, name("br0"));
  const auto requests = create(link, links);
  ASSERT_EQ(requests.size(), 2U);
  using Pair = std::pair<bool, bool>;
  EXPECT_EQ(up_and_port(requests[1]), Pair(true, false));
}

TEST(UpdateLink, TakesALinkDownWhileItJoinsABridgeThatItIsIsolatedIn) {
  Link have = veth("a", "b");
  have.alias = "";
  Link want = have;
  want.master = name("br0");
  want.port = PortSettings{true, {}, {}, {}, {}, {}};
  LinkNames links;
  links.add(7, name("br0"));
  links.add(8, name("a"));
  const auto requests = update(have, want, links);
  ASSERT_EQ(requests.size(), 3U);
  const wire::Message first(std::get<wire::NetlinkChange>(requests[0]).message);
  EXPECT_EQ(first.fixed<ifinfomsg>().ifi_change & IFF_UP, static_cast<unsigned>(IFF_UP));
  EXPECT_FALSE(up_and_port(requests[0]).first);
  EXPECT_FALSE(up_and_port(requests[1]).first);
  EXPECT_EQ(up_and_port(requests[2]), std::pair(true, true));
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
