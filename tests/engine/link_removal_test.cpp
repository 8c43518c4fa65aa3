// Many TAPs removed at a time, on the real kernel: exactly those, whatever groups other links are
// in and whatever happens meanwhile.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "plumbline/io/descriptor.hpp"
#include "plumbline/wire/netlink.hpp"
#include "tests/support/dump.hpp"
#include "tests/support/failing_host.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {
namespace {

constexpr const char* nothing = R"({"version": 1})";
/// The first two of the numbers that links about to be removed are given.
constexpr const char* first_group = "1347177795";
constexpr const char* second_group = "1347177796";

std::string tap(int number) { return "tap" + std::to_string(number); }

/// A bridge, and TAPs of the numbers from `first` on as its ports.
std::string taps(int first, int last) {
  std::string text =
      R"({"version": 1, "links": {"br0": {"kind": "bridge", "mac": "02:00:00:00:01:00"})";
  for (int number = first; number <= last; ++number) {
    char mac[18];
    std::snprintf(mac, sizeof mac, "02:00:00:01:%02x:%02x", number >> 8U & 0xff, number & 0xff);
    text += ", \"" + tap(number) + R"(": {"kind": "tap", "master": "br0", "mac": ")" + mac + "\"}";
  }
  return text + "}}";
}

/// Which message it is of those that change links; 0 for everything else.
int link_message(const wire::Request& request) {
  const auto* change = std::get_if<wire::NetlinkChange>(&request);
  return change == nullptr ? 0 : wire::Message(change->message).type();
}

bool is_removal(const wire::Request& request) { return link_message(request) == RTM_DELLINK; }

/// Tells of each request before the host gets it, and may answer it itself.
class WatchedHost final : public io::Host {
 public:
  using Watch = std::function<int(const wire::Request&)>;  ///< an error to answer with, else 0
  WatchedHost(io::Host& host, Watch watch) : host_(&host), watch_(std::move(watch)) {}

  [[nodiscard]] std::vector<wire::Reply> exchange(
      std::span<const wire::Request> requests) override {
    std::vector<wire::Reply> replies;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const int error = watch_(requests[i]);
      if (error != 0) {
        replies.push_back({error, "made to fail by the test", {}, {}});
      } else {
        replies.push_back(host_->exchange(requests.subspan(i, 1)).front());
      }
    }
    return replies;
  }

 private:
  io::Host* host_;
  Watch watch_;
};

class LinkRemovalTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    if (access("/dev/net/tun", R_OK | W_OK) != 0)
      GTEST_SKIP() << "/dev/net/tun cannot be opened here";
    must_run({"sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"});
  }
};

TEST_F(LinkRemovalTest, ExactlyTheUnwantedTapsGo) {
  const auto make_stranger = [](int number, const char* group) {
    const std::string name = "far" + std::to_string(number);
    ip("tuntap add dev " + name + " mode tap");
    ip("link set dev " + name + " group " + group + " alias theirs");
  };
  Site site;
  site.apply(taps(1, 2));
  const std::string few = dump_namespace();
  make_stranger(1, "0");
  make_stranger(2, first_group);
  make_stranger(3, "5");
  const std::string before = dump_namespace();
  site.apply(taps(1, 150));
  make_stranger(4, "77");
  ip("link set tap20 group 5");
  ip("link set tap21 group 77");
  ip("link set tap2 group 5");

  std::vector<std::size_t> removals;
  WatchedHost host(site.host(), [&](const wire::Request& request) {
    if (is_removal(request)) removals.push_back(0);
    return 0;
  });
  ASSERT_EQ(site.carry_out(site.prepare(taps(1, 2)), &host).result, engine::Result::applied);
  EXPECT_EQ(removals.size(), 2U) << "148 links, of which 128 go at a time";
  EXPECT_THAT(ip("-d link show tap2"), ::testing::HasSubstr("group 5 "));
  ip("link set tap2 group 0");
  ip("link del far4");
  EXPECT_EQ(difference(before, dump_namespace()), "");
  for (const int number : {1, 2, 3}) ip("link del far" + std::to_string(number));
  EXPECT_EQ(difference(few, dump_namespace()), "");
}

TEST_F(LinkRemovalTest, WithoutAFreeGroupTapsGoOneByOne) {
  Site site;
  site.apply(taps(1, 3));
  for (int i = 0; i < 16; ++i) {
    const std::string name = "far" + std::to_string(i);
    const unsigned long group = std::stoul(first_group) + static_cast<unsigned long>(i);
    ip("link add " + name + " type veth peer name near" + std::to_string(i));
    ip("link set " + name + " group " + std::to_string(group));
  }
  const std::string before = ip("-o link show type veth");
  site.options.allow_empty = true;
  site.apply(nothing);
  EXPECT_EQ(ip("-o link show type veth"), before);
}

TEST_F(LinkRemovalTest, ATapThatVanishesMeanwhileIsGoneAllTheSame) {
  Site site;
  site.apply(taps(1, 6));
  int messages = 0;
  WatchedHost host(site.host(), [&](const wire::Request& request) {
    const bool moves = link_message(request) == RTM_SETLINK;
    if (moves && messages++ == 0) ip("link del tap5");  // before its turn
    if (moves && messages == 3) ip("link del tap3");    // after it, or in it
    return 0;
  });
  ASSERT_EQ(site.carry_out(site.prepare(taps(1, 2)), &host).result, engine::Result::applied);
  EXPECT_EQ(messages, 4);
  EXPECT_TRUE(site.prepare(taps(1, 2)).plan.empty());
}

TEST_F(LinkRemovalTest, WhenAllVanishTheRemovalIsDone) {
  Site site;
  site.apply(taps(1, 4));
  WatchedHost host(site.host(), [&](const wire::Request& request) {
    if (is_removal(request)) {
      for (const int number : {3, 4}) ip("link del " + tap(number));
    }
    return 0;
  });
  ASSERT_EQ(site.carry_out(site.prepare(taps(1, 2)), &host).result, engine::Result::applied);
}

TEST_F(LinkRemovalTest, AHeldTapGoesToo) {
  Site site;
  site.apply(taps(1, 4));
  const io::Descriptor holder(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  std::strcpy(request.ifr_name, "tap3");
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  ASSERT_EQ(ioctl(holder.get(), TUNSETIFF, &request), 0);
  site.apply(taps(1, 2));
  EXPECT_NE(run({"ip", "link", "show", "dev", "tap3"}).status, 0);
}

TEST_F(LinkRemovalTest, AFailureAnywhereInAChunkLeavesEverything) {
  Site site;
  site.apply(taps(1, 6));
  ip("tuntap add dev far0 mode tap");
  ip(std::string("link set far0 group ") + first_group);
  const std::string before = dump_namespace();
  std::size_t position = 0;
  while (true) {
    const engine::Prepared prepared = site.prepare(taps(1, 2));
    FailingHost host(site.host(), position);
    const engine::Outcome outcome = site.carry_out(prepared, &host);
    if (!outcome.report.failed) break;
    ASSERT_EQ(outcome.result, engine::Result::rolled_back)
        << "request " << position << ::testing::PrintToString(outcome.report.left_behind);
    ASSERT_EQ(difference(before, dump_namespace()), "") << "request " << position;
    ++position;
  }
  EXPECT_EQ(position, 5U) << "four TAPs are moved, and their group is removed";
}

TEST_F(LinkRemovalTest, ARemovalThatIsRefusedPutsEachTapBackIntoItsGroup) {
  Site site;
  site.apply(taps(1, 6));
  ip("link set tap4 group 5");
  const std::string before = dump_namespace();
  const engine::Prepared prepared = site.prepare(taps(1, 2));
  WatchedHost host(site.host(),
                   [](const wire::Request& request) { return is_removal(request) ? EIO : 0; });
  const engine::Outcome outcome = site.carry_out(prepared, &host);
  EXPECT_EQ(outcome.result, engine::Result::rolled_back);
  EXPECT_EQ(difference(before, dump_namespace()), "");
  for (const engine::StepReport& step : outcome.report.steps) {
    EXPECT_EQ(step.result, engine::StepResult::failed);
    EXPECT_EQ(step.error, EIO);
  }
}

TEST_F(LinkRemovalTest, ASecondChunkIsNotTriedAfterTheFirstFailed) {
  Site site;
  site.apply(taps(1, 140));
  const engine::Prepared prepared = site.prepare(taps(1, 2));
  int removals = 0;
  WatchedHost host(site.host(), [&](const wire::Request& request) {
    return is_removal(request) && ++removals == 1 ? EIO : 0;
  });
  const engine::Outcome outcome = site.carry_out(prepared, &host);
  EXPECT_EQ(outcome.result, engine::Result::rolled_back);
  EXPECT_EQ(removals, 1);
  EXPECT_EQ(outcome.report.steps.front().result, engine::StepResult::failed);
  EXPECT_EQ(outcome.report.steps.back().result, engine::StepResult::skipped);
}

TEST_F(LinkRemovalTest, UndoneMakingOfManyTapsRemovesThemTogether) {
  Site site;
  const std::string before = dump_namespace();
  const engine::Prepared prepared = site.prepare(taps(1, 40));
  int joined = 0;
  int removals = 0;
  WatchedHost host(site.host(), [&](const wire::Request& request) {
    if (is_removal(request)) ++removals;
    const bool joins = link_message(request) == RTM_SETLINK;
    return joins && ++joined == 41 ? EIO : 0;  // the bridge has one of its own
  });
  EXPECT_EQ(site.carry_out(prepared, &host).result, engine::Result::rolled_back);
  EXPECT_LE(removals, 3);
  EXPECT_EQ(difference(before, dump_namespace()), "");
}

/// Killed after the move and before the removal, and then wanted again.
TEST_F(LinkRemovalTest, ATapLeftInAGroupToBeRemovedIsPutRight) {
  Site site;
  site.apply(taps(1, 2));
  const std::string before = dump_namespace();
  ip(std::string("link set tap1 group ") + second_group);
  site.apply(taps(1, 2));
  EXPECT_EQ(difference(before, dump_namespace()), "");
}

}  // namespace
}  // namespace plumbline::test
