#include "plumbline/io/kernel_host.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "tests/support/netns.hpp"
#include "tests/support/refused_calls.hpp"

namespace plumbline::io {
namespace {

wire::TapChange tap(const char* name, wire::TapChange::Action action) {
  wire::TapChange change;
  change.action = action;
  change.name = *IfName::parse(name);
  return change;
}

wire::TapChange new_tap(const char* name) {
  auto change = tap(name, wire::TapChange::Action::create);
  change.owner = 61234;
  change.group = 61235;
  change.alias = "plumbline:1;x";
  return change;
}

wire::Reply one(Host& host, wire::Request request) {
  const std::vector<wire::Request> requests{std::move(request)};
  return host.exchange(requests).front();
}

std::string show(const std::string& name) { return test::ip("-d link show dev " + name); }
bool exists(const std::string& name) {
  return test::run({"ip", "link", "show", "dev", name}).status == 0;
}

class Taps : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (!IsSkipped() && access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/net/tun";
  }
};

TEST_F(Taps, AreMadeAsAskedAndStay) {
  KernelHost host;
  auto change = new_tap("tap0");
  change.vnet_header = true;
  change.multi_queue = true;
  EXPECT_EQ(one(host, change), wire::Reply{});
  const std::string shown = show("tap0");
  for (const char* part : {"tun type tap pi off vnet_hdr on multi_queue", "persist on",
                           "user 61234", "group 61235", "alias plumbline:1;x"}) {
    EXPECT_NE(shown.find(part), std::string::npos) << part << " in\n" << shown;
  }
}

TEST_F(Taps, OneThatIsThereIsNotTouched) {
  KernelHost host;
  test::ip("tuntap add dev tap0 mode tap user 7");
  test::ip("link set dev tap0 alias theirs");
  test::ip("link property add dev tap0 altname other");
  const std::string before = show("tap0");
  EXPECT_EQ(one(host, new_tap("tap0")).error, EEXIST);
  EXPECT_EQ(one(host, new_tap("other")).error, EEXIST);
  EXPECT_EQ(show("tap0"), before);
}

TEST_F(Taps, ANameOfAnotherKindIsTaken) {
  KernelHost host;
  test::ip("link add br0 type bridge");
  const std::string before = show("br0");
  EXPECT_EQ(one(host, new_tap("br0")).error, EEXIST);
  EXPECT_EQ(one(host, tap("br0", wire::TapChange::Action::set_owner)).error, EINVAL);
  EXPECT_EQ(show("br0"), before);
}

TEST_F(Taps, AFailureOnTheWayLeavesNothing) {
  KernelHost host;
  auto change = new_tap("tap0");
  change.alias = std::string(256, 'x');
  EXPECT_NE(one(host, change).error, 0);
  EXPECT_FALSE(exists("tap0"));
  auto nobody = new_tap("tap0");
  nobody.group = 4294967295;
  EXPECT_EQ(one(host, nobody).error, EINVAL);
  EXPECT_FALSE(exists("tap0"));
}

TEST_F(Taps, ANameThatTheKernelWouldFillInIsRefused) {
  KernelHost host;
  EXPECT_NE(one(host, new_tap("tap%d")).error, 0);
  EXPECT_FALSE(exists("tap0"));
}

TEST_F(Taps, ChangeHandsAndKeepTheRest) {
  KernelHost host;
  test::ip("tuntap add dev tap0 mode tap user 7 vnet_hdr");
  test::ip("tuntap add dev tap1 mode tap user 7 pi multi_queue");
  for (const char* name : {"tap0", "tap1"}) {
    auto change = tap(name, wire::TapChange::Action::set_owner);
    change.owner = 61234;
    change.group = 61235;
    EXPECT_EQ(one(host, change), wire::Reply{});
  }
  const auto expect = [](const std::string& shown, const char* part) {
    EXPECT_NE(shown.find(part), std::string::npos) << shown;
  };
  expect(show("tap0"), "pi off vnet_hdr on persist on user 61234 group 61235 ");
  expect(show("tap1"), "pi on vnet_hdr off multi_queue ");
  expect(show("tap1"), "persist on user 61234 group 61235 ");
}

TEST_F(Taps, OneThatIsHeldDoesNotChangeHands) {
  KernelHost host;
  for (const unsigned queues : {0U, static_cast<unsigned>(IFF_MULTI_QUEUE)}) {
    const Descriptor holder(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    ifreq request{};
    std::strcpy(request.ifr_name, "tap0");
    request.ifr_flags = static_cast<short>(static_cast<unsigned>(IFF_TAP | IFF_NO_PI) | queues);
    ASSERT_EQ(ioctl(holder.get(), TUNSETIFF, &request), 0);
    const std::string before = show("tap0");
    auto change = tap("tap0", wire::TapChange::Action::set_owner);
    change.owner = 61234;
    EXPECT_EQ(one(host, change).error, EBUSY);
    EXPECT_EQ(one(host, new_tap("tap0")).error, EEXIST);
    EXPECT_EQ(show("tap0"), before);
  }
}

TEST_F(Taps, OneThatIsNotThereDoesNotChangeHands) {
  KernelHost host;
  EXPECT_EQ(one(host, tap("tap0", wire::TapChange::Action::set_owner)).error, ENODEV);
  EXPECT_FALSE(exists("tap0"));
}

/// Makes a TAP in a process that is killed just before its nth system call. False when it ended
/// before that.
bool killed_before_call(int nth) {
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    KernelHost host;
    _exit(one(host, new_tap("tap0")).error);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_EXITKILL);
  for (int stops = 0; stops < 2 * nth - 1; ++stops) {  // two for a call: before and after
    if (ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) != 0) break;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
      return false;
    }
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return true;
}

TEST_F(Taps, ACrashAnywhereLeavesAWholeOneOrNone) {
  int none = 0;
  int whole = 0;
  for (int nth = 1; killed_before_call(nth); ++nth) {
    ASSERT_LT(nth, 2000);
    if (!exists("tap0")) {
      ++none;
      continue;
    }
    ++whole;
    const std::string shown = show("tap0");
    for (const char* part : {"persist on", "user 61234", "group 61235", "alias plumbline:1;x"}) {
      ASSERT_NE(shown.find(part), std::string::npos) << "killed before call " << nth << "\n"
                                                     << shown;
    }
    test::ip("link del tap0");
  }
  EXPECT_GT(none, 10);
  EXPECT_GT(whole, 0);
  EXPECT_TRUE(exists("tap0"));
}

class KernelHosts : public test::NetnsTest {};

TEST_F(KernelHosts, AnswerEveryRequestInItsOrder) {
  KernelHost host;
  wire::MessageBuilder up(RTM_NEWLINK, 0);
  ifinfomsg fixed{};
  fixed.ifi_index = 1;
  fixed.ifi_flags = IFF_UP;
  fixed.ifi_change = IFF_UP;
  up.header(fixed);
  wire::MessageBuilder gone(RTM_DELLINK, 0);
  fixed.ifi_index = 4242;
  gone.header(fixed);
  wire::MessageBuilder links(RTM_GETLINK, 0);
  links.header(ifinfomsg{});
  const wire::NetlinkChange set_up{std::move(up).finish()};
  const wire::NetlinkChange remove{std::move(gone).finish()};
  const std::vector<wire::Request> requests{
      remove,
      set_up,
      wire::SysctlWrite{"net/ipv4/ip_forward", "1"},
      wire::NetlinkDump{std::move(links).finish()},
      remove,
      wire::SysctlRead{"net/ipv4/ip_forward"},
      set_up,
  };
  const auto replies = host.exchange(requests);
  ASSERT_EQ(replies.size(), requests.size());
  const std::vector<int> errors{ENODEV, 0, 0, 0, ENODEV, 0, 0};
  for (std::size_t index = 0; index < errors.size(); ++index) {
    EXPECT_EQ(replies[index].error, errors[index]) << index;
  }
  EXPECT_FALSE(replies[3].bytes.empty());
  EXPECT_EQ(replies[5].text, "1");
  EXPECT_TRUE(host.exchange({}).empty());
}

TEST_F(KernelHosts, OnlyTheOpeningOfANamespaceSaysThatItIsMissing) {
  KernelHost host;
  const auto send = [&](const std::string& netns) {
    wire::MessageBuilder message(RTM_NEWLINK, 0);
    message.header(ifinfomsg{});
    message.u32(IFLA_NET_NS_FD, 0);
    const std::size_t place = message.size() - sizeof(std::uint32_t);
    return one(host, wire::NamespaceChange{std::move(message).finish(), netns, place});
  };
  const std::string here = "/proc/thread-self/ns/net";
  EXPECT_EQ(send("/nowhere").error, ENOENT);
  EXPECT_EQ(send("/etc/passwd").error, ENOENT);
  // Whether the request was carried out is not known then, so that is no answer to it.
  EXPECT_THAT(test::without_call(SYS_recvmsg, EIO, [&] { static_cast<void>(send(here)); }),
              testing::HasSubstr("cannot read from a netlink socket"));
  EXPECT_EQ(test::without_call(SYS_openat, EMFILE, [&] { EXPECT_EQ(send(here).error, EMFILE); }),
            "");
}

}  // namespace
}  // namespace plumbline::io
