// What is only seen of links in a real kernel, and never set: who holds them, what hangs on them.

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <random>

#include "plumbline/io/descriptor.hpp"
#include "plumbline/wire/netlink.hpp"
#include "tests/kinds/link_in_kernel.hpp"
#include "tests/support/elsewhere.hpp"

namespace plumbline {
namespace {

using namespace test;

TEST_F(LinkInKernel, SeesQdiscsThatSomebodyAdded) {
  ip("link add v0 type veth peer name v1");
  ip("link set v0 up");
  EXPECT_EQ(seen("v0").has_qdisc, false);
  const auto added = test::run({"tc", "qdisc", "add", "dev", "v0", "clsact"});
  if (added.status != 0) GTEST_SKIP() << "no qdisc can be added here: " << added.output;
  EXPECT_EQ(seen("v0").has_qdisc, true);
  EXPECT_EQ(seen("v1").has_qdisc, false);
}

void write_sysctl(std::string_view path, std::string_view value) {
  std::ofstream file("/proc/sys/" + std::string(path));
  ASSERT_TRUE(file << value << std::flush) << path;
}

TEST_F(LinkInKernel, SeesPromotedSecondariesOfOneAndOfAll) {
  ip("link add v0 type veth peer name v1");
  write_sysctl("net/ipv4/conf/all/promote_secondaries", "0");
  write_sysctl("net/ipv4/conf/v0/promote_secondaries", "1");
  write_sysctl("net/ipv4/conf/v1/promote_secondaries", "0");
  EXPECT_EQ(seen("v0").promote_secondaries, true);
  EXPECT_EQ(seen("v1").promote_secondaries, false);
  write_sysctl("net/ipv4/conf/all/promote_secondaries", "1");
  EXPECT_EQ(seen("v1").promote_secondaries, true);
}

TEST_F(LinkInKernel, SeesThatATapIsHeld) {
  if (!has_tun()) GTEST_SKIP() << "/dev/net/tun cannot be opened here";
  Link tap = marked("t0", LinkKind::tap);
  tap.up = false;
  tap.tap = TapOptions{1, {}, {}, {}};
  ASSERT_EQ(make(tap), 0);
  EXPECT_EQ(seen("t0").carrier, false);
  {
    const io::Descriptor holder(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    ifreq request{};
    std::ranges::copy(std::string_view("t0"), request.ifr_name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    ASSERT_EQ(ioctl(holder.get(), TUNSETIFF, &request), 0);
    const Link have = seen("t0");
    EXPECT_EQ(have.carrier, true);
    tap.tap->owner = 2;
    EXPECT_EQ(transition(have, complete(tap, have)).blocked_until,
              "the TAP is free (somebody has it open)");
    EXPECT_EQ(change(have, complete(tap, have)), EBUSY);
  }
  EXPECT_EQ(seen("t0").carrier, false);
}

TEST_F(LinkInKernel, KnowsNoPeerInAnotherNamespace) {
  const Elsewhere elsewhere;
  ip("link add v0 type veth peer name v1");
  const auto index = observe().names.index(name("v1"));
  ip("link set v1 netns " + std::to_string(elsewhere.pid()));
  // Indexes are counted in each namespace: here another link has the peer's.
  ip("link add name x0 index " + std::to_string(index) + " type bridge");
  const Link have = seen("v0");
  EXPECT_EQ(have.kind, LinkKind::veth);
  EXPECT_EQ(have.veth, VethOptions{});
  EXPECT_TRUE(makes_the_pair(have));
}

TEST_F(LinkInKernel, ReadsADamagedDumpOrRefusesIt) {
  ASSERT_EQ(make(whole_bridge()), 0);
  Link veth = whole_veth();
  veth.master = name("br0");
  ASSERT_EQ(make(veth), 0);
  const auto query = Link::queries({}).front();
  const wire::Reply whole = host().exchange(std::span(&query, 1)).front();
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < 4000; ++i) {
    wire::Reply damaged = whole;
    for (int flips = 0; flips < 3; ++flips) {
      damaged.bytes[random() % damaged.bytes.size()] = static_cast<std::byte>(random());
    }
    if (i % 2 == 0) damaged.bytes.resize(random() % damaged.bytes.size());
    std::vector<Link> out;
    try {
      Link::decode(query, damaged, link_names(damaged), out);
    } catch (const wire::Malformed&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 2000);
}

TEST_F(LinkInKernel, TellsTheKindsApart) {
  EXPECT_EQ(seen("lo").kind, LinkKind::physical);
  ip("link add x0 type vxlan id 7 dstport 4789");
  EXPECT_EQ(seen("x0").kind, LinkKind::vxlan);
  if (!has_tun()) return;
  ip("tuntap add t0 mode tun user 7");
  EXPECT_EQ(seen("t0").kind, LinkKind::tun);
  EXPECT_EQ(seen("t0").mac, std::nullopt);
}

}  // namespace
}  // namespace plumbline
