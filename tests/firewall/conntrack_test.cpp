#include "plumbline/firewall/bytes/conntrack.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "plumbline/wire/netlink.hpp"

namespace plumbline::firewall {
namespace {

using ::testing::SizeIs;

constexpr std::uint16_t type_of(unsigned operation) {
  return static_cast<std::uint16_t>(unsigned{NFNL_SUBSYS_CTNETLINK} << 8U | operation);
}

void add_tuple(wire::MessageBuilder& message, std::uint16_t type, const char* from,
               const char* to) {
  message.nest(type, [&](wire::MessageBuilder& tuple) {
    tuple.nest(CTA_TUPLE_IP, [&](wire::MessageBuilder& ip) {
      ip.address(CTA_IP_V4_SRC, *IpAddress::parse(from));
      ip.address(CTA_IP_V4_DST, *IpAddress::parse(to));
    });
    tuple.nest(CTA_TUPLE_PROTO, [](wire::MessageBuilder& proto) { proto.u8(CTA_PROTO_NUM, 17); });
  });
}

/// As ctnetlink_fill_info() writes it.
wire::Bytes entry(std::uint32_t status) {
  wire::MessageBuilder message(type_of(IPCTNL_MSG_CT_NEW), NLM_F_MULTI);
  message.header(nfgenmsg{NFPROTO_IPV4, NFNETLINK_V0, 0});
  add_tuple(message, CTA_TUPLE_ORIG, "172.30.0.2", "203.0.113.7");
  add_tuple(message, CTA_TUPLE_REPLY, "203.0.113.7", "192.0.2.10");
  message.u32(CTA_STATUS, htonl(status));
  message.u32(CTA_ID, 0x1234);
  return std::move(message).finish();
}

std::vector<std::uint16_t> attributes_of(const wire::Bytes& bytes) {
  std::vector<std::uint16_t> types;
  wire::for_each_message(bytes, [&](const wire::Message& message) {
    message.attributes<nfgenmsg>(
        [&](const wire::Attribute& attribute) { types.push_back(attribute.type()); });
  });
  return types;
}

}  // namespace

TEST(Flows, HaveTheAddressesOfTheirFirstPacket) {
  const auto flows = read_flows(entry(IPS_SRC_NAT | IPS_CONFIRMED));
  ASSERT_THAT(flows, SizeIs(1));
  EXPECT_EQ(format(flows[0].from), "172.30.0.2");
  EXPECT_EQ(format(flows[0].to), "203.0.113.7");
  EXPECT_TRUE(flows[0].has_source_nat());
  EXPECT_FALSE(flows[0].has_destination_nat());
  EXPECT_TRUE(read_flows(entry(IPS_DST_NAT)).at(0).has_destination_nat());
}

TEST(Flows, AreDeletedByTheirFirstPacketAndTheirId) {
  const auto flows = read_flows(entry(IPS_CONFIRMED));
  ASSERT_THAT(flows, SizeIs(1));
  EXPECT_THAT(attributes_of(flows[0].deletion), ::testing::ElementsAre(CTA_TUPLE_ORIG, CTA_ID));
  wire::for_each_message(flows[0].deletion, [](const wire::Message& message) {
    EXPECT_EQ(message.type(), type_of(IPCTNL_MSG_CT_DELETE));
    EXPECT_EQ(message.flags() & NLM_F_REQUEST, NLM_F_REQUEST);
  });
}

TEST(Flows, ThatAreCutOffAreMalformed) {
  wire::Bytes bytes = entry(0);
  bytes.resize(bytes.size() - 8);
  EXPECT_THROW(static_cast<void>(read_flows(bytes)), wire::Malformed);
}

}  // namespace plumbline::firewall
