#include "plumbline/firewall/bytes/conntrack.hpp"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <utility>

#include "messages.hpp"

namespace plumbline::firewall {

namespace {

wire::MessageBuilder conntrack_message(unsigned operation, unsigned flags) {
  return netfilter_message(NFNL_SUBSYS_CTNETLINK, operation, flags, NFPROTO_IPV4);
}

void read_addresses(const wire::Attribute& tuple, Flow& flow) {
  wire::for_each_attribute(tuple.payload(), [&](const wire::Attribute& part) {
    if (part.type() != CTA_TUPLE_IP) return;
    wire::for_each_attribute(part.payload(), [&](const wire::Attribute& address) {
      if (address.type() == CTA_IP_V4_SRC) flow.from = address.address();
      if (address.type() == CTA_IP_V4_DST) flow.to = address.address();
    });
  });
}

/// The id keeps another flow of the same addresses and ports from being taken for it.
Flow read_flow(const wire::Message& message) {
  Flow flow;
  wire::MessageBuilder deletion = conntrack_message(IPCTNL_MSG_CT_DELETE, 0);
  message.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
    switch (attribute.type()) {
      case CTA_TUPLE_ORIG:
        read_addresses(attribute, flow);
        flow.original.assign(attribute.payload().begin(), attribute.payload().end());
        deletion.bytes(CTA_TUPLE_ORIG | NLA_F_NESTED, attribute.payload());
        break;
      case CTA_TUPLE_REPLY:
        flow.reply.assign(attribute.payload().begin(), attribute.payload().end());
        break;
      case CTA_STATUS:
        flow.status = be32toh(attribute.u32());
        break;
      case CTA_ZONE:
      case CTA_ID:
        deletion.bytes(attribute.type(), attribute.payload());
        break;
      default:
        break;
    }
  });
  flow.deletion = std::move(deletion).finish();
  return flow;
}

}  // namespace

bool Flow::has_source_nat() const { return (status & IPS_SRC_NAT) != 0; }
bool Flow::has_destination_nat() const { return (status & IPS_DST_NAT) != 0; }

wire::Bytes flow_dump() {
  return std::move(conntrack_message(IPCTNL_MSG_CT_GET, NLM_F_DUMP)).finish();
}

std::vector<Flow> read_flows(const wire::Bytes& answer) {
  std::vector<Flow> flows;
  wire::for_each_message(answer, [&](const wire::Message& message) {
    if (is_netfilter_message(message, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW)) {
      flows.push_back(read_flow(message));
    }
  });
  return flows;
}

}  // namespace plumbline::firewall
