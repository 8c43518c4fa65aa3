// Links in a real kernel: made, seen, changed, put back and removed, with ip(8) as the witness.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <fstream>

#include "plumbline/io/descriptor.hpp"
#include "plumbline/io/kernel_host.hpp"
#include "plumbline/kinds/link.hpp"
#include "tests/support/netns.hpp"

namespace plumbline {

void PrintTo(const Link& link, std::ostream* out) {
  *out << format(key(link)) << ' ' << boost::json::serialize(to_spec(link))
       << (link.marked ? " marked" : "") << (link.carrier == true ? " carrier" : "")
       << (link.promote_secondaries == true ? " promotes" : "")
       << (link.has_qdisc == true ? " qdisc" : "");
}

namespace {

using test::ip;
using testing::HasSubstr;
using testing::Not;

IfName name(std::string_view text) { return IfName::parse(text).value(); }

class LinkInKernel : public test::NetnsTest {
 protected:
  struct Seen {
    std::vector<Link> all;
    LinkNames names;
  };

  io::KernelHost& host() {
    if (!host_) host_.emplace();
    return *host_;
  }

  Seen observe() {
    const auto queries = Link::queries({});
    const auto replies = host().exchange(queries);
    Seen seen;
    seen.names = link_names(replies.front());
    for (std::size_t i = 0; i < queries.size(); ++i) {
      Link::decode(queries[i], replies[i], seen.names, seen.all);
    }
    return seen;
  }

  std::optional<Link> find(std::string_view wanted) {
    for (const Link& link : observe().all) {
      if (link.name.view() == wanted) return link;
    }
    return std::nullopt;
  }
  Link seen(std::string_view wanted) { return find(wanted).value(); }

  /// One after the other up to the first that fails; gives its error.
  int send(const std::vector<wire::Request>& requests) {
    for (const wire::Request& request : requests) {
      const auto reply = host().exchange(std::span(&request, 1)).front();
      if (reply.error != 0) return reply.error;
    }
    return 0;
  }
  int make(const Link& link) { return send(create(link, observe().names)); }
  int change(const Link& have, const Link& want) {
    return send(update(have, want, observe().names));
  }

  /// Expects that what `commands` do is seen, that update() undoes it, and leaves everything as it
  /// was.
  void repairs(const Link& wanted, const std::vector<std::string_view>& commands) {
    SCOPED_TRACE(std::string(commands.back()));
    const auto before = observe().all;
    for (const std::string_view command : commands) ip(command);
    const Link have = seen(wanted.name.view());
    const Link want = complete(wanted, have);
    const Transition way = transition(have, want);
    EXPECT_EQ(way.change, Change::update);
    EXPECT_EQ(way.blocked_until, "");
    EXPECT_EQ(change(have, want), 0);
    EXPECT_EQ(observe().all, before);
  }

  /// Expects that from any of the values to any other, and back, the link is what it was.
  void goes_and_comes_back(const std::vector<Link>& values) {
    for (std::size_t i = 0; i < values.size() * values.size(); ++i) {
      const Link& from = values[i / values.size()];
      const Link& to = values[i % values.size()];
      SCOPED_TRACE(std::to_string(i));
      const auto reach = [&](const Link& value) {
        const Link have = seen(value.name.view());
        return change(have, complete(value, have));
      };
      ASSERT_EQ(reach(from), 0);
      const Link before = seen(from.name.view());
      const Link want = complete(to, before);
      ASSERT_EQ(change(before, want), 0);
      const Link after = seen(from.name.view());
      EXPECT_EQ(complete(want, after), after);
      ASSERT_EQ(change(want, before), 0);
      EXPECT_EQ(seen(from.name.view()), before);
    }
  }

 private:
  std::optional<io::KernelHost> host_;
};

/// CONFIG_BRIDGE_VLAN_FILTERING: without it the kernel shows 0, and refuses even a 0.
bool bridges_filter_vlans() {
  const auto command = [](std::string_view verb) {
    return test::run({"ip", "link", std::string(verb), "name", "probe", "type", "bridge",
                      "vlan_filtering", "1"});
  };
  static const bool filter = command("add").status == 0;
  static_cast<void>(test::run({"ip", "link", "delete", "probe"}));
  return filter;
}

bool has_tun() { return access("/dev/net/tun", R_OK | W_OK) == 0; }

Link marked(std::string_view self, LinkKind kind) {
  Link link;
  link.name = name(self);
  link.kind = kind;
  link.up = true;
  link.marked = true;
  return link;
}

Link whole_bridge() {
  Link bridge = marked("br0", LinkKind::bridge);
  bridge.mtu = 1400;
  bridge.mac = Mac::parse("02:00:00:00:00:01");
  bridge.tx_queue_length = 77;
  bridge.alias = "the guests";
  bridge.bridge = BridgeOptions{true, 300, 12000, bridges_filter_vlans(), false};
  return bridge;
}

Link whole_tap() {
  Link tap = marked("t0", LinkKind::tap);
  tap.mtu = 1300;
  tap.mac = Mac::parse("02:00:00:00:00:02");
  tap.tx_queue_length = 88;
  tap.alias = "";
  tap.master = name("br0");
  tap.port = PortSettings{true, false, true, 17, std::uint16_t{9}};
  tap.tap = TapOptions{1000, 1001, true, true};
  return tap;
}

Link whole_veth() {
  Link veth = marked("v0", LinkKind::veth);
  veth.mtu = 1200;
  veth.mac = Mac::parse("02:00:00:00:00:03");
  veth.tx_queue_length = 99;
  veth.alias = "uplink";
  veth.veth = VethOptions{name("v1")};
  return veth;
}

Link other_end() {
  Link veth = marked("v1", LinkKind::veth);
  veth.veth = VethOptions{name("v0")};
  veth.mtu = 1100;
  return veth;
}

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
  plain.bridge = BridgeOptions{false, 0, 30000, false, true};
  Link slow = whole_bridge();
  slow.bridge = BridgeOptions{true, 3000, 0, false, true};
  goes_and_comes_back({whole_bridge(), plain, slow});
}

TEST_F(LinkInKernel, PutsAPortBackAsItWas) {
  ip("link add br1 address 02:00:00:00:00:21 type bridge");
  ASSERT_EQ(make(whole_bridge()), 0);
  ASSERT_EQ(make(whole_veth()), 0);
  Link free = whole_veth();
  Link in_one = free;
  in_one.master = name("br0");
  in_one.port = PortSettings{true, false, true, 17, std::uint16_t{9}};
  Link in_other = free;
  in_other.master = name("br1");
  in_other.port = PortSettings{false, {}, {}, {}, {}};
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

// ---- what is only observed ----------------------------------------------------------------------

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

/// A process in a network namespace of its own, ended with this.
class Elsewhere {
 public:
  Elsewhere() : child_(fork()) {
    if (child_ != 0) return;
    if (!test::enter_new_netns().empty()) _exit(1);
    pause();
    _exit(0);
  }
  ~Elsewhere() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;

  [[nodiscard]] pid_t pid() const { return child_; }
  /// Waits until it is in its namespace: until the namespace is another than ours.
  void wait() const {
    const auto link_of = [](const std::string& of) {
      std::array<char, 64> text{};
      const auto size = readlink(("/proc/" + of + "/ns/net").c_str(), text.data(), text.size());
      return std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    };
    while (link_of(std::to_string(child_)) == link_of("self")) usleep(1000);
  }

 private:
  pid_t child_;
};

TEST_F(LinkInKernel, KnowsNoPeerInAnotherNamespace) {
  const Elsewhere elsewhere;
  elsewhere.wait();
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

TEST_F(LinkInKernel, TellsTheKindsApart) {
  EXPECT_EQ(seen("lo").kind, LinkKind::physical);
  ip("link add x0 type vxlan id 7 dstport 4789");
  EXPECT_EQ(seen("x0").kind, LinkKind::vxlan);
  if (!has_tun()) return;
  ip("tuntap add t0 mode tun user 7");
  EXPECT_EQ(seen("t0").kind, LinkKind::tun);
  EXPECT_EQ(seen("t0").mac, std::nullopt);
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
