#include "plumbline/io/kernel_events.hpp"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "plumbline/io/kernel_host.hpp"
#include "plumbline/io/netlink_socket.hpp"
#include "src/io/sysctl_files.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::io {
namespace {

class KernelEventsTest : public test::NetnsTest {};

bool readable(const KernelEvents& events) {
  pollfd watched{events.fd(), POLLIN, 0};
  return poll(&watched, 1, 0) == 1;
}

TEST_F(KernelEventsTest, EveryKindOfChangeIsAHintAndQuietIsNone) {
  test::bring_up_loopback();
  KernelEvents events;
  EXPECT_FALSE(readable(events));
  EXPECT_EQ(events.drain().count, 0U);
  for (const char* change :
       {"link add br0 type bridge", "link set br0 up", "addr add 192.0.2.1/24 dev br0",
        "addr add 2001:db8::1/64 dev br0 nodad", "route add blackhole 198.51.100.0/24",
        "route add blackhole 2001:db8:1::/48", "rule add from 192.0.2.0/24 lookup 7 pref 7",
        "-6 rule add from 2001:db8::/32 lookup 7 pref 7", "link set br0 alias x"}) {
    test::ip(change);
    EXPECT_TRUE(readable(events)) << change;
    const auto drained = events.drain();
    EXPECT_GT(drained.count, 0U) << change;
    EXPECT_FALSE(drained.lost) << change;
  }
}

TEST_F(KernelEventsTest, AForwardingSettingIsAHint) {
  KernelEvents events;
  EXPECT_EQ(write_sysctl("net/ipv4/conf/lo/forwarding", "1").error, 0);
  EXPECT_GT(events.drain().count, 0U);
  EXPECT_EQ(write_sysctl("net/ipv6/conf/lo/forwarding", "1").error, 0);
  EXPECT_GT(events.drain().count, 0U);
}

TEST_F(KernelEventsTest, WhatTheKernelDroppedIsSaidOnceAndThenAllIsWell) {
  KernelEvents events;
  NetlinkSocket socket(NETLINK_ROUTE);
  std::vector<wire::Bytes> routes;
  for (std::uint32_t number = 0; number < 60'000; ++number) {  // 832 bytes of the buffer for each
    wire::MessageBuilder message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    rtmsg fixed{};
    fixed.rtm_family = AF_INET;
    fixed.rtm_dst_len = 32;
    fixed.rtm_type = RTN_BLACKHOLE;
    fixed.rtm_protocol = 112;
    message.header(fixed);
    message.u32(RTA_DST, __builtin_bswap32(0x0a000000U + number)).u32(RTA_TABLE, 77);
    routes.push_back(std::move(message).finish());
  }
  Messages messages;
  for (const auto& route : routes) messages.push_back(&route);
  for (const auto& reply : socket.change(messages)) ASSERT_EQ(reply.error, 0);
  EXPECT_TRUE(events.drain().lost);
  EXPECT_FALSE(events.drain().lost);
  test::bring_up_loopback();
  EXPECT_GT(events.drain().count, 0U);
}

class RuleEventsTest : public KernelEventsTest {
 protected:
  void SetUp() override {
    KernelEventsTest::SetUp();
    if (!IsSkipped() && test::run({"iptables-nft", "-S"}).status != 0) {
      GTEST_SKIP() << "iptables-nft does not work here";
    }
  }
};

TEST_F(RuleEventsTest, ACommitIsOneHintWithTheNameOfItsWriterHoweverManyRulesItReplaces) {
  std::string rules = "*filter\n:MANY -\n-F MANY\n";
  for (int number = 0; number < 10'000; ++number) {
    rules += "-A MANY -s 10.0." + std::to_string(number / 250) + "." +
             std::to_string(number % 250) + " -j ACCEPT\n";
  }
  rules += "COMMIT\n";
  test::must_run({"iptables-nft-restore", "--noflush"}, rules);

  KernelEvents events;
  ASSERT_TRUE(events.hears_nf_tables());
  test::must_run({"iptables-nft-restore", "--noflush"}, rules);
  EXPECT_TRUE(readable(events));
  const auto drained = events.drain();
  EXPECT_EQ(drained.count, 1U);
  EXPECT_FALSE(drained.lost);
  ASSERT_EQ(drained.writers.size(), 1U);
  EXPECT_EQ(drained.writers[0].name, "iptables-nft-re");
  EXPECT_NE(drained.writers[0].thread, 0U);
  EXPECT_FALSE(readable(events));
}

TEST_F(RuleEventsTest, AWriterIsKnownByThePortOfItsSocket) {
  test::must_run({"iptables-nft", "-N", "APP"});
  test::must_run({"iptables-nft", "-X", "APP"});
  KernelHost host(Backend::nft);
  EXPECT_EQ(host.nf_tables_port(), 0U);
  KernelEvents events;
  const wire::Request drop = wire::FirewallDropTable{Family::inet, "filter"};
  ASSERT_EQ(host.exchange({&drop, 1}).front().error, 0);
  test::must_run({"iptables-nft", "-N", "APP"});
  const auto drained = events.drain();
  ASSERT_EQ(drained.writers.size(), 2U);
  EXPECT_NE(host.nf_tables_port(), 0U);
  EXPECT_EQ(drained.writers[0].port, host.nf_tables_port());
  EXPECT_NE(drained.writers[1].port, host.nf_tables_port());
}

TEST_F(RuleEventsTest, LookingAtRulesIsNoHintAndLeavingThemIsNone) {
  test::must_run({"iptables-nft", "-N", "APP"});
  KernelEvents events;
  test::must_run({"iptables-nft-save"});
  EXPECT_NE(test::run({"iptables-nft", "-C", "APP", "-j", "DROP"}).status, 0);
  EXPECT_EQ(events.drain().count, 0U);
  test::must_run({"iptables-nft", "-A", "APP", "-j", "DROP"});
  EXPECT_EQ(events.drain().count, 1U);
}

TEST_F(RuleEventsTest, ChangesInAnotherNamespaceAreNone) {
  KernelEvents events;
  std::thread([] {
    ASSERT_EQ(test::enter_new_netns(), "");
    test::must_run({"iptables-nft", "-N", "APP"});
  }).join();
  EXPECT_EQ(events.drain().count, 0U);
}

}  // namespace
}  // namespace plumbline::io
