#include "plumbline/kinds/address.hpp"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <boost/json/value.hpp>
#include <utility>

#include "dump.hpp"

namespace plumbline {

Address::Key key(const Address& address) {
  if (address.local.address.family() == Family::inet6) {
    return {address.link, address.local.address, 0, std::nullopt};
  }
  Address::Key key{address.link, address.local.address, address.local.length, std::nullopt};
  const IpAddress network = address.peer.value_or(key.local).masked(key.length);
  if (network != key.local.masked(key.length)) key.peer = network;
  return key;
}

std::string format(const Address::Key& key) {
  std::string text = "address " + format(key.link) + ' ' + format(key.local);
  if (key.peer) text += " peer " + format(*key.peer);
  if (key.local.family() == Family::inet) text += '/' + std::to_string(key.length);
  return text;
}

std::vector<Need> needs(const Address& address) { return {NeedsLink{address.link}}; }

bool is_marked(const Address& address, const Mark& mark) {
  return address.protocol == mark.protocol;
}

Address with_mark(Address address, const Mark& mark) {
  address.protocol = mark.protocol;
  return address;
}

// ---- how one value becomes another --------------------------------------------------------------

namespace {

/// IPv4 shares a key only where these are equal. IPv6 would keep the old ones on a REPLACE
/// (inet6_addr_modify() in net/ipv6/addrconf.c).
bool is_another(const Address& have, const Address& want) {
  return have.local != want.local || have.peer != want.peer;
}

}  // namespace

Address complete(Address want, const Address& have) {
  if (is_another(have, want)) return want;
  want.secondary = have.secondary;
  want.dad_failed = have.dad_failed;
  want.temporary = have.temporary;
  want.chosen_flags = have.chosen_flags;
  want.route_metric = have.route_metric;
  return want;
}

Transition transition(const Address& have, const Address& want) {
  if (is_another(have, want)) return {Change::replace, Disruption::traffic};
  if (have == want) return {};
  // Before 6.4 a REPLACE of an IPv4 address answers OK and leaves IFA_PROTO as it was.
  const bool keeps_protocol = have.local.address.family() == Family::inet;
  if (have.protocol != want.protocol && keeps_protocol) {
    return {Change::replace, Disruption::traffic};
  }
  return {Change::update, Disruption::nothing};
}

// ---- observing ----------------------------------------------------------------------------------

namespace {

/// Set and cleared by inet6_addr_modify() in net/ipv6/addrconf.c; IPv4 knows the last two.
constexpr std::uint32_t choosable_flags =
    IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

/// Attributes of one address, before they have a meaning together.
struct Raw {
  std::optional<IpAddress> address;
  std::optional<IpAddress> local;
  std::uint32_t flags = 0;
  std::uint8_t protocol = 0;
  std::uint32_t preferred = UINT32_MAX;
  std::uint32_t route_metric = 0;
};

Raw read_raw(const wire::Message& message) {
  Raw raw;
  raw.flags = message.fixed<ifaddrmsg>().ifa_flags;
  message.attributes<ifaddrmsg>([&](const wire::Attribute& attribute) {
    switch (attribute.type()) {
      case IFA_ADDRESS:
        raw.address = attribute.address();
        break;
      case IFA_LOCAL:
        raw.local = attribute.address();
        break;
      case IFA_FLAGS:
        raw.flags = attribute.u32();
        break;
      case IFA_PROTO:
        raw.protocol = attribute.u8();
        break;
      case IFA_RT_PRIORITY:
        raw.route_metric = attribute.u32();
        break;
      case IFA_CACHEINFO:
        raw.preferred = attribute.read<ifa_cacheinfo>().ifa_prefered;
        break;
      default:
        break;
    }
  });
  return raw;
}

std::optional<Address> decode_address(const wire::Message& message, const LinkNames& links) {
  const auto header = message.fixed<ifaddrmsg>();
  if (header.ifa_family != AF_INET && header.ifa_family != AF_INET6) return std::nullopt;
  const Raw raw = read_raw(message);
  // A peer's address is IFA_ADDRESS; without a peer both are one, or IFA_LOCAL is not there.
  const auto local = raw.local ? raw.local : raw.address;
  if (!local || address_family(local->family()) != header.ifa_family) {
    throw wire::Malformed("an address without an address of its family");
  }
  Address address;
  const auto link = links.name(header.ifa_index);
  if (!link) return std::nullopt;  // made after the dump of the links: seen the next time
  address.link = *link;
  address.local = {*local, header.ifa_prefixlen};
  if (raw.address && raw.address != local) address.peer = raw.address;
  address.protocol = raw.protocol;
  address.permanent = (raw.flags & IFA_F_PERMANENT) != 0 && (raw.flags & IFA_F_DEPRECATED) == 0 &&
                      raw.preferred == UINT32_MAX;
  address.chosen_flags = raw.flags & choosable_flags;
  address.route_metric = raw.route_metric;
  // For IPv6 the same bit says that it is a temporary address.
  if (local->family() == Family::inet) {
    address.secondary = (raw.flags & IFA_F_SECONDARY) != 0;
  } else {
    address.dad_failed = (raw.flags & IFA_F_DADFAILED) != 0;
    address.temporary = (raw.flags & IFA_F_TEMPORARY) != 0;
  }
  return address;
}

}  // namespace

std::vector<wire::Request> Address::queries(const Scope& /*scope*/) {
  wire::MessageBuilder message(RTM_GETADDR, 0);
  message.header(ifaddrmsg{});
  return {wire::NetlinkDump{std::move(message).finish()}};
}

void Address::decode(const wire::Request& request, const wire::Reply& reply, const LinkNames& links,
                     std::vector<Address>& out) {
  detail::for_each_dumped(request, reply, RTM_NEWADDR, [&](const wire::Message& message) {
    if (auto address = decode_address(message, links)) out.push_back(*address);
  });
}

// ---- changing -----------------------------------------------------------------------------------

namespace {

/// As ip-address(8) does: no broadcast address, host scope for what is in 127/8.
wire::MessageBuilder message_for(std::uint16_t type, std::uint16_t flags, const Address& address,
                                 const LinkNames& links) {
  const IpAddress& local = address.local.address;
  ifaddrmsg header{};
  header.ifa_family = address_family(local.family());
  header.ifa_prefixlen = address.local.length;
  header.ifa_index = links.index(address.link);
  const bool loopback = local.family() == Family::inet && local.bytes()[0] == std::byte{127};
  header.ifa_scope = loopback ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  wire::MessageBuilder message(type, flags);
  message.header(header).address(IFA_LOCAL, local);
  message.address(IFA_ADDRESS, address.peer.value_or(local));
  return message;
}

/// What REPLACE would take for "none" where it is not said.
wire::MessageBuilder whole_message_for(std::uint16_t flags, const Address& address,
                                       const LinkNames& links) {
  auto message = message_for(RTM_NEWADDR, flags, address, links);
  message.u8(IFA_PROTO, address.protocol);
  if (address.chosen_flags.value_or(0) != 0) message.u32(IFA_FLAGS, *address.chosen_flags);
  if (address.route_metric.value_or(0) != 0) message.u32(IFA_RT_PRIORITY, *address.route_metric);
  return message;
}

std::vector<wire::Request> only(wire::MessageBuilder message) {
  return {wire::NetlinkChange{std::move(message).finish()}};
}

}  // namespace

std::vector<wire::Request> create(const Address& address, const LinkNames& links) {
  return only(whole_message_for(NLM_F_CREATE | NLM_F_EXCL, address, links));
}

std::vector<wire::Request> update(const Address& /*have*/, const Address& want,
                                  const LinkNames& links) {
  // What lifetimes somebody had given it is not known: they cannot be put back.
  if (!want.permanent) return {};
  return only(whole_message_for(NLM_F_REPLACE, want, links));
}

std::vector<wire::Request> remove(const Address& address, const LinkNames& links) {
  return only(message_for(RTM_DELADDR, 0, address, links));
}

// ---- the spec -----------------------------------------------------------------------------------

namespace {

bool is_loopback6(const IpAddress& address) { return address == *IpAddress::parse("::1"); }

/// Why no interface can have the address; empty when one can.
std::string_view fault(const InterfaceAddress& address, const IfName& link) {
  const IpAddress& ip = address.address;
  const auto first = std::to_integer<unsigned>(ip.bytes()[0]);
  if (ip == IpAddress::any(ip.family())) return "it is the unspecified address";
  if (ip.family() == Family::inet6) {
    if (first == 0xff) return "it is a multicast address";
    // ipv6_add_addr() in net/ipv6/addrconf.c
    if (is_loopback6(ip) && link.view() != "lo") return "only lo can have the loopback address";
    return {};
  }
  if (first >= 224 && first < 240) return "it is a multicast address";
  if (ip == *IpAddress::parse("255.255.255.255")) return "it is the broadcast address";
  // RFC 3021: a /31 has no broadcast address.
  if (address.length >= 31) return {};
  for (std::uint8_t bit = address.length; bit < 32; ++bit) {
    const auto byte = std::to_integer<unsigned>(ip.bytes()[bit / 8U]);
    if ((byte >> (7U - bit % 8U) & 1U) == 0) return {};
  }
  return "it is the broadcast address of its network";
}

}  // namespace

std::optional<Address> Address::from_spec(const wire::Entry& entry, const IfName& link) {
  const auto local =
      entry.parsed<InterfaceAddress>(Code::invalid_address, "an address and its prefix length");
  if (!local) return std::nullopt;
  if (const auto why = fault(*local, link); !why.empty()) {
    entry.error(Code::invalid_address,
                "an interface cannot have the address " + format(*local) + ": " + std::string(why));
    return std::nullopt;
  }
  Address address;
  address.link = link;
  address.local = *local;
  return address;
}

boost::json::value to_spec(const Address& address) {
  return boost::json::value(format(address.local));
}

bool comes_by_itself(const Address& address) { return address.protocol == IFAPROT_KERNEL_LL; }

}  // namespace plumbline
