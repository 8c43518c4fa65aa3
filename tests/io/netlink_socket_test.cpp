#include "plumbline/io/netlink_socket.hpp"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "plumbline/io/host.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::io {
namespace {

/// A blackhole route 10.x.y.z/32 of a table of its own.
wire::Bytes route(std::uint16_t type, std::uint16_t flags, std::uint32_t number,
                  std::uint32_t table = 77) {
  wire::MessageBuilder message(type, flags);
  rtmsg fixed{};
  fixed.rtm_family = AF_INET;
  fixed.rtm_dst_len = 32;
  fixed.rtm_protocol = 112;
  fixed.rtm_type = RTN_BLACKHOLE;
  fixed.rtm_scope = RT_SCOPE_UNIVERSE;
  message.header(fixed);
  message.u32(RTA_TABLE, table);
  message.u32(RTA_DST, __builtin_bswap32(0x0a000000U + number));
  return std::move(message).finish();
}

wire::Bytes add(std::uint32_t number) {
  return route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, number);
}

wire::Bytes routes_of(std::uint32_t table) {
  wire::MessageBuilder message(RTM_GETROUTE, 0);
  rtmsg fixed{};
  fixed.rtm_family = AF_INET;
  message.header(fixed);
  message.u32(RTA_TABLE, table);
  return std::move(message).finish();
}

wire::Bytes links(std::uint32_t mask = 0) {
  wire::MessageBuilder message(RTM_GETLINK, 0);
  message.header(ifinfomsg{});
  if (mask != 0) message.u32(IFLA_EXT_MASK, mask);
  return std::move(message).finish();
}

Messages pointers(const std::vector<wire::Bytes>& messages) {
  Messages all;
  for (const auto& message : messages) all.push_back(&message);
  return all;
}

std::size_t count(const wire::Reply& dump, int flag = 0) {
  EXPECT_EQ(dump.error, 0) << dump.message;
  std::size_t messages = 0;
  wire::for_each_message(dump.bytes, [&](const wire::Message& message) {
    if (flag == 0 || (message.flags() & flag) != 0) ++messages;
  });
  return messages;
}

class NetlinkChanges : public test::NetnsTest {};

TEST_F(NetlinkChanges, AnErrorInTheMiddleIsThatMessagesOwn) {
  NetlinkSocket socket(NETLINK_ROUTE);
  const std::vector<wire::Bytes> messages{add(1), add(2), add(1), add(3), add(2), add(4)};
  const auto replies = socket.change(pointers(messages));
  ASSERT_EQ(replies.size(), messages.size());
  const std::vector<int> errors{0, 0, EEXIST, 0, EEXIST, 0};
  for (std::size_t index = 0; index < errors.size(); ++index) {
    EXPECT_EQ(replies[index].error, errors[index]) << index;
  }
  EXPECT_EQ(count(socket.dump(routes_of(77))), 4U);
}

TEST_F(NetlinkChanges, AnErrorOfTheLastIsItsOwnToo) {
  NetlinkSocket socket(NETLINK_ROUTE);
  const std::vector<wire::Bytes> messages{add(1), add(1)};
  const auto replies = socket.change(pointers(messages));
  EXPECT_EQ(replies[0].error, 0);
  EXPECT_EQ(replies[1].error, EEXIST);
}

TEST_F(NetlinkChanges, TheKernelsWordsReachTheReply) {
  NetlinkSocket socket(NETLINK_ROUTE);
  wire::MessageBuilder message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  rtmsg fixed{};
  fixed.rtm_family = AF_INET;
  fixed.rtm_dst_len = 32;
  fixed.rtm_type = RTN_UNICAST;
  fixed.rtm_protocol = 112;
  message.header(fixed).u32(RTA_DST, 0x0a).u32(RTA_GATEWAY, 0x0100000a);
  const std::vector<wire::Bytes> messages{std::move(message).finish(), add(1)};
  const auto replies = socket.change(pointers(messages));
  EXPECT_EQ(replies[0].error, ENETUNREACH);
  EXPECT_EQ(replies[0].message, "Nexthop has invalid gateway");
  EXPECT_EQ(replies[1].error, 0);
}

TEST_F(NetlinkChanges, FiveThousandAtOnceAndThenTheSameAllRefused) {
  NetlinkSocket socket(NETLINK_ROUTE);
  std::vector<wire::Bytes> messages;
  for (std::uint32_t number = 0; number < 5000; ++number) messages.push_back(add(number));
  for (const auto& reply : socket.change(pointers(messages))) ASSERT_EQ(reply.error, 0);
  EXPECT_EQ(count(socket.dump(routes_of(77))), 5000U);
  for (const auto& reply : socket.change(pointers(messages))) ASSERT_EQ(reply.error, EEXIST);
}

TEST_F(NetlinkChanges, WhatDoesNotFitIntoASendFailsAlone) {
  NetlinkSocket socket(NETLINK_ROUTE);
  wire::MessageBuilder huge(RTM_NEWROUTE, NLM_F_CREATE);
  huge.header(rtmsg{});
  const std::vector<std::byte> filling(60'000);
  for (int part = 0; part < 400; ++part) huge.bytes(RTA_METRICS, filling);
  const std::vector<wire::Bytes> messages{add(1), std::move(huge).finish(), add(2)};
  const auto replies = socket.change(pointers(messages));
  EXPECT_EQ(replies[0].error, 0);
  EXPECT_EQ(replies[1].error, EMSGSIZE);
  EXPECT_EQ(replies[2].error, 0);
}

TEST_F(NetlinkChanges, WhatOtherProcessesSendIsNotTheKernels) {
  NetlinkSocket socket(NETLINK_ROUTE);  // the first of the process: its port is the pid
  const int forger = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  sockaddr_nl to{};
  to.nl_family = AF_NETLINK;
  to.nl_pid = static_cast<std::uint32_t>(getpid());
  for (std::uint32_t sequence = 1; sequence < 4; ++sequence) {
    struct {
      nlmsghdr header;
      nlmsgerr error;
    } forged{};
    forged.header.nlmsg_len = sizeof forged;
    forged.header.nlmsg_type = NLMSG_ERROR;
    forged.header.nlmsg_seq = sequence;
    forged.error.error = -EDOM;
    ASSERT_EQ(
        sendto(forger, &forged, sizeof forged, 0, reinterpret_cast<sockaddr*>(&to), sizeof to),
        static_cast<ssize_t>(sizeof forged));
  }
  close(forger);
  const std::vector<wire::Bytes> messages{add(1), add(2), add(3)};
  for (const auto& reply : socket.change(pointers(messages))) EXPECT_EQ(reply.error, 0);
}

TEST_F(NetlinkChanges, ARequestOfAWrongLengthIsNotSent) {
  NetlinkSocket socket(NETLINK_ROUTE);
  auto broken = add(1);
  broken.push_back(std::byte{0});
  EXPECT_THROW(static_cast<void>(socket.change({&broken})), HostError);
  EXPECT_EQ(socket.change({}).size(), 0U);
}

class NetlinkDumps : public test::NetnsTest {};

TEST_F(NetlinkDumps, ATableThatIsNotThereIsEmpty) {
  NetlinkSocket socket(NETLINK_ROUTE);
  EXPECT_EQ(count(socket.dump(routes_of(4242))), 0U);
}

TEST_F(NetlinkDumps, ARefusalIsAReply) {
  NetlinkSocket socket(NETLINK_ROUTE);
  wire::MessageBuilder message(RTM_GETROUTE, 0);
  rtmsg fixed{};
  fixed.rtm_family = AF_INET;
  fixed.rtm_scope = 5;  // no filter that strict checking knows
  message.header(fixed);
  const auto reply = socket.dump(std::move(message).finish());
  EXPECT_EQ(reply.error, EINVAL);
  EXPECT_NE(reply.message, "");
  EXPECT_EQ(count(socket.dump(links())), 1U);
}

TEST_F(NetlinkDumps, AnObjectLargerThanTheBufferIsRead) {
  test::ip("link add big type bridge");
  NetlinkSocket socket(NETLINK_ROUTE);
  std::vector<wire::Bytes> names;
  for (int number = 0; number < 494; ++number) {
    std::string name = std::to_string(number);
    name.insert(0, 127 - name.size(), 'x');
    wire::MessageBuilder message(RTM_NEWLINKPROP, 0);
    message.header(ifinfomsg{}).string(IFLA_IFNAME, "big");
    message.nest(IFLA_PROP_LIST, [&](auto& nest) { nest.string(IFLA_ALT_IFNAME, name); });
    names.push_back(std::move(message).finish());
  }
  for (const auto& reply : socket.change(pointers(names))) ASSERT_EQ(reply.error, 0);
  const auto reply = socket.dump(links(RTEXT_FILTER_VF));
  EXPECT_EQ(count(reply), 2U);
  EXPECT_GT(reply.bytes.size(), 65536U) << "not large enough to be a test";
}

/// A dump on a socket of its own, without any care: whether the kernel marks it as interrupted.
bool plain_dump_is_interrupted() {
  const Descriptor plain(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  auto request = links();
  nlmsghdr header{};
  std::memcpy(&header, request.data(), sizeof header);
  header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  std::memcpy(request.data(), &header, sizeof header);
  EXPECT_GT(send(plain.get(), request.data(), request.size(), 0), 0);
  std::vector<std::byte> buffer(65536);
  bool interrupted = false;
  bool finished = false;
  while (!finished) {
    const ssize_t size = recv(plain.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) break;
    wire::for_each_message(std::span(buffer).first(static_cast<std::size_t>(size)),
                           [&](const wire::Message& message) {
                             interrupted = interrupted || (message.flags() & NLM_F_DUMP_INTR) != 0;
                             finished = finished || message.type() == NLMSG_DONE;
                           });
  }
  return interrupted;
}

/// Makes or removes a bridge.
wire::Bytes flip(std::uint16_t type) {
  wire::MessageBuilder message(type, type == RTM_NEWLINK ? NLM_F_CREATE | NLM_F_EXCL : 0);
  message.header(ifinfomsg{}).string(IFLA_IFNAME, "flip");
  message.nest(IFLA_LINKINFO, [](auto& nest) { nest.string(IFLA_INFO_KIND, "bridge"); });
  return std::move(message).finish();
}

TEST_F(NetlinkDumps, AnInterruptedOneIsNeverReturned) {
  std::string batch;
  for (int link = 0; link < 400; ++link) {
    batch += "link add d" + std::to_string(link) + " type bridge\n";
  }
  test::must_run({"ip", "-batch", "-"}, batch);
  std::atomic<bool> stop{false};
  std::thread writer([&stop] {  // in the same namespace: threads inherit it
    NetlinkSocket socket(NETLINK_ROUTE);
    for (int turn = 0; !stop; ++turn) {
      const auto made = flip(RTM_NEWLINK);
      const auto removed = flip(RTM_DELLINK);
      static_cast<void>(socket.change({&made}));
      std::this_thread::sleep_for(std::chrono::milliseconds(turn % 8));
      static_cast<void>(socket.change({&removed}));
    }
  });
  NetlinkSocket socket(NETLINK_ROUTE);
  int interrupted = 0;
  int whole = 0;
  int given_up = 0;
  for (int turn = 0; turn < 100; ++turn) {
    if (plain_dump_is_interrupted()) ++interrupted;
    try {
      const auto reply = socket.dump(links());
      EXPECT_GE(count(reply), 401U);
      EXPECT_EQ(count(reply, NLM_F_DUMP_INTR), 0U);
      ++whole;
    } catch (const HostError&) {
      ++given_up;
    }
  }
  stop = true;
  writer.join();
  EXPECT_GT(interrupted, 0) << "nothing was tried";
  EXPECT_GT(whole, 0);
  RecordProperty("given_up", given_up);
  EXPECT_EQ(count(socket.dump(links())), 401U);
}

class FirstDump : public test::NetnsTest {};

TEST_F(FirstDump, OfASocketIsNotEndedByARouteThatFitsIntoALargerPart) {
  test::ip("link add d0 type ifb");
  test::ip("link set d0 up");
  test::ip("addr add 10.0.0.1/8 dev d0");
  std::string line = "route add 1.0.0.0/8";
  for (int i = 2; i < 250; ++i) line += " nexthop via 10.0.0." + std::to_string(i) + " dev d0";
  test::ip(line);
  NetlinkSocket socket(NETLINK_ROUTE);
  EXPECT_EQ(count(socket.dump(routes_of(254))), 2U);
}

}  // namespace
}  // namespace plumbline::io
