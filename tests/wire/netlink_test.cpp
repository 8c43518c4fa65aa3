#include "plumbline/wire/netlink.hpp"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

namespace plumbline::wire {
namespace {

Bytes example() {
  MessageBuilder builder(RTM_NEWROUTE, NLM_F_CREATE);
  builder.header(rtmsg{});
  builder.u32(RTA_PRIORITY, 100)
      .string(RTA_UNSPEC + 40, "name")
      .address(RTA_DST, *IpAddress::parse("10.0.0.0"));
  builder.nest(RTA_METRICS, [](MessageBuilder& metrics) { metrics.u32(RTAX_MTU, 1400); });
  return std::move(builder).finish();
}

TEST(MessageBuilder, WritesWhatTheReaderReads) {
  const Bytes bytes = example();
  int messages = 0;
  for_each_message(bytes, [&](const Message& message) {
    ++messages;
    EXPECT_EQ(message.type(), RTM_NEWROUTE);
    EXPECT_EQ(message.flags(), NLM_F_REQUEST | NLM_F_CREATE);
    std::vector<int> seen;
    message.attributes<rtmsg>([&](const Attribute& attribute) {
      seen.push_back(attribute.type());
      if (attribute.type() == RTA_PRIORITY) {
        EXPECT_EQ(attribute.u32(), 100U);
      }
      if (attribute.type() == RTA_UNSPEC + 40) {
        EXPECT_EQ(attribute.string(), "name");
      }
      if (attribute.type() == RTA_DST) {
        EXPECT_EQ(format(attribute.address()), "10.0.0.0");
      }
      if (attribute.type() == RTA_METRICS) {
        for_each_attribute(attribute.payload(), [](const Attribute& metric) {
          EXPECT_EQ(metric.type(), RTAX_MTU);
          EXPECT_EQ(metric.u32(), 1400U);
        });
      }
    });
    EXPECT_EQ(seen, (std::vector<int>{RTA_PRIORITY, RTA_UNSPEC + 40, RTA_DST, RTA_METRICS}));
  });
  EXPECT_EQ(messages, 1);
}

TEST(MessageBuilder, ThrowsForWhatALengthOf16BitsCannotSay) {
  constexpr std::size_t most = UINT16_MAX - sizeof(nlattr);
  const Bytes fits(most);
  const Bytes one_more(most + 1);
  MessageBuilder builder(RTM_NEWROUTE, 0);
  EXPECT_NO_THROW(builder.bytes(RTA_UNSPEC, fits));
  EXPECT_THROW(builder.bytes(RTA_UNSPEC, one_more), Malformed);
  EXPECT_THROW(builder.string(RTA_UNSPEC, std::string(most, 'a')), Malformed);  // and its NUL
  const auto nested = [&](std::size_t hops) {
    MessageBuilder outer(RTM_NEWROUTE, 0);
    outer.nest(RTA_MULTIPATH, [&](MessageBuilder& nest) {
      for (std::size_t i = 0; i < hops; ++i) nest.u32(RTA_GATEWAY, 1);
    });
    return std::move(outer).finish();
  };
  EXPECT_NO_THROW(static_cast<void>(nested(most / 8)));
  EXPECT_THROW(static_cast<void>(nested(most / 8 + 1)), Malformed);
}

TEST(ForEachMessage, RefusesEveryTruncation) {
  const Bytes bytes = example();
  const auto read_all = [](std::span<const std::byte> part) {
    for_each_message(
        part, [](const Message& message) { message.attributes<rtmsg>([](const Attribute&) {}); });
  };
  EXPECT_NO_THROW(read_all(bytes));
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_THROW(read_all(std::span(bytes).first(size)), Malformed) << size;
  }
}

TEST(ForEachMessage, RefusesLengthsThatLie) {
  for (const std::uint32_t length : {0U, 15U, 4096U, 0xffffffffU}) {
    Bytes bytes = example();
    std::memcpy(bytes.data(), &length, sizeof length);
    EXPECT_THROW(for_each_message(bytes, [](const Message&) {}), Malformed) << length;
  }
}

TEST(Attribute, RefusesToReadMoreThanThereIs) {
  const std::byte one{7};
  const Attribute attribute(1, std::span(&one, 1));
  EXPECT_EQ(attribute.u8(), 7);
  EXPECT_THROW(static_cast<void>(attribute.u16()), Malformed);
  EXPECT_THROW(static_cast<void>(attribute.u32()), Malformed);
  EXPECT_THROW(static_cast<void>(attribute.address()), Malformed);
}

Bytes ack(int error, std::uint16_t flags, const char* words, std::size_t repeated) {
  MessageBuilder builder(NLMSG_ERROR, flags);
  nlmsgerr body{};
  body.error = error;
  body.msg.nlmsg_len = static_cast<std::uint32_t>(sizeof(nlmsghdr) + repeated);
  builder.header(body);
  if ((flags & NLM_F_CAPPED) == 0) {
    const Bytes request(repeated);
    builder.append(request.data(), request.size());
  }
  if (words != nullptr) builder.string(NLMSGERR_ATTR_MSG, words);
  return std::move(builder).finish();
}

TEST(ReadAck, FindsTheKernelsWordsBehindTheRepeatedRequest) {
  for (const std::uint16_t flags :
       {std::uint16_t{NLM_F_ACK_TLVS}, std::uint16_t(NLM_F_ACK_TLVS | NLM_F_CAPPED)}) {
    const Bytes bytes = ack(-EINVAL, flags, "Nexthop has invalid gateway", 44);
    const Ack read = read_ack(Message(bytes));
    EXPECT_EQ(read.error, EINVAL);
    EXPECT_EQ(read.message, "Nexthop has invalid gateway");
  }
  const Bytes plain = ack(0, 0, nullptr, 8);
  EXPECT_EQ(read_ack(Message(plain)).error, 0);
}

TEST(ReadAck, RefusesWhatIsNoErrno) {
  for (const int number : {1, -4096, INT32_MIN}) {
    const Bytes bytes = ack(number, 0, nullptr, 8);
    EXPECT_THROW(static_cast<void>(read_ack(Message(bytes))), Malformed) << number;
  }
}

TEST(ReadAck, RefusesAnAckWhoseRequestLies) {
  Bytes bytes = ack(-EINVAL, NLM_F_ACK_TLVS, "words", 0);
  const std::uint32_t length = 100000;
  std::memcpy(bytes.data() + sizeof(nlmsghdr) + sizeof(int), &length, sizeof length);
  EXPECT_THROW(static_cast<void>(read_ack(Message(bytes))), Malformed);
}

}  // namespace
}  // namespace plumbline::wire
