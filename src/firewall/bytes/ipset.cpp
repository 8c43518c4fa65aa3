// What has to be asked of ipset (net/netfilter/ipset/ip_set_core.c): names, indexes, and stand-ins.

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>

#include <utility>

#include "messages.hpp"
#include "plumbline/firewall/bytes/nftables.hpp"

namespace plumbline::firewall {

namespace {

wire::MessageBuilder ipset_message(unsigned operation, unsigned flags) {
  auto message = netfilter_message(NFNL_SUBSYS_IPSET, operation, flags, NFPROTO_IPV4);
  message.u8(IPSET_ATTR_PROTOCOL, IPSET_PROTOCOL);
  return message;
}

/// The attribute of the answer to that command; Malformed where there is none.
template <class Take>
void read_answer(const wire::Bytes& answer, unsigned operation, std::uint16_t type,
                 const Take& take) {
  bool found = false;
  const auto attribute = [&](const wire::Attribute& each) {
    if (each.type() != type) return;
    found = true;
    take(each);
  };
  const auto each = [&](const wire::Message& message) {
    if (is_netfilter_message(message, NFNL_SUBSYS_IPSET, operation)) {
      message.attributes<nfgenmsg>(std::ref(attribute));
    }
  };
  wire::for_each_message(answer, std::ref(each));
  if (!found) throw wire::Malformed("ipset does not answer what was asked");
}

}  // namespace

wire::Bytes set_name_query(std::uint16_t index) {
  auto message = ipset_message(IPSET_CMD_GET_BYINDEX, 0);
  message.u16(IPSET_ATTR_INDEX | NLA_F_NET_BYTEORDER, htobe16(index));
  return std::move(message).finish();
}

wire::Bytes set_index_query(std::string_view name) {
  auto message = ipset_message(IPSET_CMD_GET_BYNAME, 0);
  message.string(IPSET_ATTR_SETNAME, name);
  return std::move(message).finish();
}

wire::Bytes set_creation(std::string_view name) {
  auto message = ipset_message(IPSET_CMD_CREATE, NLM_F_ACK);
  message.string(IPSET_ATTR_SETNAME, name);
  message.string(IPSET_ATTR_TYPENAME, "hash:ip");
  message.u8(IPSET_ATTR_REVISION, 0);
  message.u8(IPSET_ATTR_FAMILY, NFPROTO_IPV4);
  message.nest(IPSET_ATTR_DATA, [](wire::MessageBuilder&) {});
  return std::move(message).finish();
}

wire::Bytes set_destruction() {
  return std::move(ipset_message(IPSET_CMD_DESTROY, NLM_F_ACK)).finish();
}

std::string read_set_name(const wire::Bytes& answer) {
  std::string name;
  read_answer(answer, IPSET_CMD_GET_BYINDEX, IPSET_ATTR_SETNAME,
              [&](const wire::Attribute& attribute) { name = attribute.string(); });
  if (name.empty()) throw wire::Malformed("an ipset without a name");
  return name;
}

std::uint16_t read_set_index(const wire::Bytes& answer) {
  std::uint16_t index = 0;
  read_answer(answer, IPSET_CMD_GET_BYNAME, IPSET_ATTR_INDEX,
              [&](const wire::Attribute& attribute) { index = be16toh(attribute.u16()); });
  return index;
}

}  // namespace plumbline::firewall
