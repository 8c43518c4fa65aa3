// What the kernel says of its links: the dumps asked for, and what is read from them.

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "mark.hpp"
#include "src/kinds/dump.hpp"
#include "type.hpp"

namespace plumbline {

namespace {

constexpr std::string_view promote_secondaries_path = "net/ipv4/conf/all/promote_secondaries";

using wire::Attribute;

template <class Visit>
void inside(const Attribute& attribute, Visit&& visit) {
  wire::for_each_attribute(attribute.payload(), visit);
}

LinkKind kind_of(std::string_view name) {
  for (auto kind = LinkKind::bridge; kind != LinkKind::other;
       kind = static_cast<LinkKind>(static_cast<std::uint8_t>(kind) + 1)) {
    // A TAP and a TUN are both "tun" to rtnetlink; its data tell.
    if (kind != LinkKind::tap && format(kind) == name) return kind;
  }
  return LinkKind::other;
}

void read_link_info(Link& link, detail::RawLink& raw, const Attribute& linkinfo) {
  std::optional<Attribute> data;
  std::optional<Attribute> slave_data;
  std::string_view slave_kind;
  inside(linkinfo, [&](const Attribute& attribute) {
    if (attribute.type() == IFLA_INFO_KIND) link.kind = kind_of(attribute.string());
    if (attribute.type() == IFLA_INFO_DATA) data = attribute;
    if (attribute.type() == IFLA_INFO_SLAVE_KIND) slave_kind = attribute.string();
    if (attribute.type() == IFLA_INFO_SLAVE_DATA) slave_data = attribute;
  });
  if (data) detail::type_of(link.kind).read(*data, link, raw);
  if (slave_kind == "bridge" && slave_data) link.port = detail::read_port(*slave_data);
}

/// IFLA_AF_SPEC holds, for AF_INET, the link's `net/ipv4/conf` as an array (inet_fill_link_af()).
bool promotes_secondaries(const Attribute& af_spec) {
  bool promotes = false;
  inside(af_spec, [&](const Attribute& family) {
    if (family.type() != AF_INET) return;
    inside(family, [&](const Attribute& attribute) {
      constexpr std::size_t offset = (IPV4_DEVCONF_PROMOTE_SECONDARIES - 1) * sizeof(std::int32_t);
      if (attribute.type() != IFLA_INET_CONF) return;
      if (attribute.payload().size() < offset + sizeof(std::int32_t)) return;
      std::int32_t value = 0;
      std::memcpy(&value, attribute.payload().data() + offset, sizeof value);
      promotes = value != 0;
    });
  });
  return promotes;
}

IfName name_of(const wire::Message& message) {
  std::optional<IfName> name;
  message.attributes<ifinfomsg>([&](const Attribute& attribute) {
    if (attribute.type() == IFLA_IFNAME) name = IfName::parse(attribute.string());
  });
  if (!name) throw wire::Malformed("a link without a name");
  return *name;
}

void read_attribute(Link& link, detail::RawLink& raw, const Attribute& attribute) {
  switch (attribute.type()) {
    case IFLA_MTU:
      link.mtu = attribute.u32();
      break;
    case IFLA_ADDRESS:
      link.mac = Mac::from_bytes(attribute.payload());
      break;
    case IFLA_TXQLEN:
      link.tx_queue_length = attribute.u32();
      break;
    case IFLA_CARRIER:
      link.carrier = attribute.u8() != 0;
      break;
    case IFLA_LINKINFO:
      read_link_info(link, raw, attribute);
      break;
    case IFLA_AF_SPEC:
      link.promote_secondaries = promotes_secondaries(attribute);
      break;
    case IFLA_IFALIAS:
      raw.alias = attribute.string();
      break;
    case IFLA_GROUP:
      raw.group = attribute.u32();
      break;
    case IFLA_MASTER:
      raw.master = attribute.u32();
      break;
    case IFLA_LINK:
      raw.lower = attribute.u32();
      break;
    case IFLA_PROP_LIST:
      inside(attribute, [&](const Attribute& property) {
        if (property.type() == IFLA_ALT_IFNAME) link.altnames.names.emplace_back(property.string());
      });
      break;
    case IFLA_LINK_NETNSID:
      raw.is_elsewhere = true;
      break;
    default:
      break;
  }
}

Link decode_link(const wire::Message& message, const LinkNames& links) {
  Link link;
  link.name = name_of(message);
  link.up = (message.fixed<ifinfomsg>().ifi_flags & IFF_UP) != 0;
  link.promote_secondaries = false;
  link.has_qdisc = false;
  detail::RawLink raw;
  message.attributes<ifinfomsg>(
      [&](const Attribute& attribute) { read_attribute(link, raw, attribute); });
  const bool speaks_arp = (message.fixed<ifinfomsg>().ifi_flags & IFF_NOARP) == 0;
  detail::read_mark(link, raw.alias, raw.group, speaks_arp);
  if (raw.master != 0) {
    link.master = links.name(raw.master);
    if (!link.master) throw wire::Malformed("the master of a link is not among the links");
  }
  detail::type_of(link.kind).resolve(raw, links, link);
  return link;
}

/// A qdisc that the kernel attached by itself has the handle 0, whatever its kind.
void decode_qdiscs(const wire::Request& request, const wire::Reply& reply, const LinkNames& links,
                   std::vector<Link>& out) {
  std::set<IfName> carriers;
  detail::for_each_dumped(request, reply, RTM_NEWQDISC, [&](const wire::Message& message) {
    const auto header = message.fixed<tcmsg>();
    const auto name = links.name(static_cast<std::uint32_t>(header.tcm_ifindex));
    if (header.tcm_handle != 0 && name) carriers.insert(*name);
  });
  for (Link& link : out) link.has_qdisc = carriers.contains(link.name);
}

/// Which of Link::queries() it is: told by the message's type.
bool asks_for_links(const wire::NetlinkDump& dump) {
  return wire::Message(dump.message).type() == RTM_GETLINK;
}

void decode_sysctl(const wire::Reply& reply, std::vector<Link>& out) {
  if (reply.error != 0) {
    throw wire::Malformed("promote_secondaries cannot be read: " + reply.message);
  }
  // IN_DEV_PROMOTE_SECONDARIES() is an or of both (include/linux/inetdevice.h).
  if (reply.text == "0") return;
  for (Link& link : out) link.promote_secondaries = true;
}

}  // namespace

std::vector<wire::Request> Link::queries(const Scope& /*scope*/) {
  wire::MessageBuilder links(RTM_GETLINK, 0);
  links.header(ifinfomsg{}).u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  wire::MessageBuilder qdiscs(RTM_GETQDISC, 0);
  qdiscs.header(tcmsg{});
  return {wire::NetlinkDump{std::move(links).finish()},
          wire::NetlinkDump{std::move(qdiscs).finish()},
          wire::SysctlRead{std::string(promote_secondaries_path)}};
}

void Link::decode(const wire::Request& request, const wire::Reply& reply, const LinkNames& links,
                  std::vector<Link>& out) {
  const auto* dump = std::get_if<wire::NetlinkDump>(&request);
  if (dump == nullptr) {
    decode_sysctl(reply, out);
  } else if (asks_for_links(*dump)) {
    detail::for_each_dumped(request, reply, RTM_NEWLINK, [&](const wire::Message& message) {
      out.push_back(decode_link(message, links));
    });
  } else if (reply.error != EOPNOTSUPP) {  // a kernel without CONFIG_NET_SCHED has no qdiscs
    decode_qdiscs(request, reply, links, out);
  }
}

LinkNames link_names(const wire::Reply& reply) {
  LinkNames names;
  wire::for_each_message(reply.bytes, [&](const wire::Message& message) {
    if (message.type() != RTM_NEWLINK) return;
    names.add(static_cast<std::uint32_t>(message.fixed<ifinfomsg>().ifi_index), name_of(message));
  });
  return names;
}

}  // namespace plumbline
