#include "plumbline/kinds/neighbour.hpp"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "dump.hpp"
#include "spec_words.hpp"

namespace plumbline {

Neighbour::Key key(const Neighbour& neighbour) {
  return {neighbour.dev, neighbour.to, neighbour.proxy};
}

std::string format(const Neighbour::Key& key) {
  return std::string("neighbour ") + (key.proxy ? "proxy " : "") + format(key.to) + " dev " +
         format(key.dev);
}

std::vector<Need> needs(const Neighbour& neighbour) { return {NeedsLink{neighbour.dev, true}}; }

bool is_marked(const Neighbour& neighbour, const Mark& mark) {
  return neighbour.protocol == mark.protocol;
}

Neighbour with_mark(Neighbour neighbour, const Mark& mark) {
  neighbour.protocol = mark.protocol;
  return neighbour;
}

Neighbour complete(Neighbour want, const Neighbour& have) {
  if (!want.router) want.router = have.router;
  return want;
}

Transition transition(const Neighbour& have, const Neighbour& want) {
  if (have == want) return {};
  const bool moves = have.lladdr != want.lladdr;
  return {Change::update, moves ? Disruption::traffic : Disruption::nothing};
}

std::string why_not_adoptable(const Neighbour& neighbour) { return why_not_in_spec(neighbour); }

std::string why_not_in_spec(const Neighbour& neighbour) {
  return neighbour.has_more ? "it says more than a spec can" : "";
}

// ---- the spec -----------------------------------------------------------------------------------

namespace {

std::optional<IpAddress> address_of(const wire::Entry& entry) {
  const auto member = entry.require("to");
  if (!member) return std::nullopt;
  const auto address = member->parsed<IpAddress>(Code::invalid_address, "an IP address");
  if (!address) return std::nullopt;
  if (*address != IpAddress::any(address->family())) return address;
  member->error(Code::invalid_address, format(*address) + " is no neighbour's address");
  return std::nullopt;
}

std::optional<Mac> mac_of(const wire::Entry& member) {
  const auto mac = member.parsed<Mac>(Code::invalid_address, "a MAC address as 02:00:00:00:00:01");
  if (!mac || !mac->is_zero()) return mac;
  member.error(Code::invalid_address, "a neighbour cannot have the MAC address " + format(*mac));
  return std::nullopt;
}

}  // namespace

std::optional<Neighbour> Neighbour::from_spec(const wire::Entry& entry) {
  if (!entry.is_object()) return std::nullopt;
  entry.only({"to", "dev", "lladdr", "proxy", "router"});
  const auto to = address_of(entry);
  const auto dev = entry.require("dev");
  const auto link = dev ? detail::link_word(*dev) : std::nullopt;
  Neighbour neighbour;
  neighbour.proxy = entry.boolean("proxy").value_or(false);
  neighbour.router = entry.boolean("router");
  const auto lladdr = neighbour.proxy ? entry.find("lladdr") : entry.require("lladdr");
  if (lladdr && neighbour.proxy) {
    lladdr->error(Code::invalid_address,
                  "a proxy entry has no link-layer address: this host answers with its own");
    return std::nullopt;
  }
  if (lladdr) neighbour.lladdr = mac_of(*lladdr);
  if (!to || !link || (!neighbour.proxy && !neighbour.lladdr)) return std::nullopt;
  neighbour.to = *to;
  neighbour.dev = *link;
  return neighbour;
}

boost::json::value to_spec(const Neighbour& neighbour) {
  boost::json::object object;
  object["to"] = format(neighbour.to);
  object["dev"] = neighbour.dev.view();
  if (neighbour.lladdr) object["lladdr"] = format(*neighbour.lladdr);
  if (neighbour.proxy) object["proxy"] = true;
  if (neighbour.router) object["router"] = *neighbour.router;
  return object;
}

// ---- observing ----------------------------------------------------------------------------------

namespace {

constexpr std::uint8_t sayable_flags = NTF_PROXY | NTF_ROUTER;

std::optional<Neighbour> decode_neighbour(const wire::Message& message, const LinkNames& links) {
  const auto header = message.fixed<ndmsg>();
  if (header.ndm_family != AF_INET && header.ndm_family != AF_INET6) return std::nullopt;
  const bool proxy = (header.ndm_flags & NTF_PROXY) != 0;
  if (!proxy && (header.ndm_state & NUD_PERMANENT) == 0) return std::nullopt;
  const auto dev = links.name(static_cast<std::uint32_t>(header.ndm_ifindex));
  if (!dev) return std::nullopt;  // one for every link, or made after the dump of the links
  Neighbour neighbour;
  std::optional<IpAddress> to;
  neighbour.dev = *dev;
  neighbour.proxy = proxy;
  neighbour.router = (header.ndm_flags & NTF_ROUTER) != 0;
  neighbour.has_more = (header.ndm_flags & ~sayable_flags) != 0;
  message.attributes<ndmsg>([&](const wire::Attribute& attribute) {
    switch (attribute.type()) {
      case NDA_DST:
        to = attribute.address();
        break;
      case NDA_LLADDR:
        neighbour.lladdr = Mac::from_bytes(attribute.payload());
        break;
      case NDA_PROTOCOL:
        neighbour.protocol = attribute.u8();
        break;
      case NDA_FLAGS_EXT:
        neighbour.has_more = neighbour.has_more || attribute.u32() != 0;
        break;
      default:
        break;
    }
  });
  if (!to) throw wire::Malformed("a neighbour without an address");
  neighbour.to = *to;
  neighbour.has_more = neighbour.has_more || (!proxy && !neighbour.lladdr);
  return neighbour;
}

wire::Request dump_of(std::uint8_t flags) {
  ndmsg header{};
  header.ndm_flags = flags;
  wire::MessageBuilder message(RTM_GETNEIGH, 0);
  message.header(header);
  return wire::NetlinkDump{std::move(message).finish()};
}

}  // namespace

std::vector<wire::Request> Neighbour::queries(const Scope& /*scope*/) {
  return {dump_of(0), dump_of(NTF_PROXY)};
}

void Neighbour::decode(const wire::Request& request, const wire::Reply& reply,
                       const LinkNames& links, std::vector<Neighbour>& out) {
  detail::for_each_dumped(request, reply, RTM_NEWNEIGH, [&](const wire::Message& message) {
    if (const auto neighbour = decode_neighbour(message, links)) out.push_back(*neighbour);
  });
}

// ---- requests -----------------------------------------------------------------------------------

namespace {

wire::MessageBuilder message_for(std::uint16_t type, std::uint16_t flags,
                                 const Neighbour& neighbour, const LinkNames& links) {
  ndmsg header{};
  header.ndm_family = static_cast<std::uint8_t>(address_family(neighbour.to.family()));
  header.ndm_ifindex = static_cast<std::int32_t>(links.index(neighbour.dev));
  header.ndm_state = NUD_PERMANENT;
  if (neighbour.proxy) header.ndm_flags |= NTF_PROXY;
  if (neighbour.router == true) header.ndm_flags |= NTF_ROUTER;
  wire::MessageBuilder message(type, flags);
  message.header(header).address(NDA_DST, neighbour.to);
  return message;
}

}  // namespace

/// In place of what the kernel may have learned of the address, which is not seen here.
std::vector<wire::Request> create(const Neighbour& neighbour, const LinkNames& links) {
  wire::MessageBuilder message =
      message_for(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, neighbour, links);
  if (neighbour.lladdr) message.bytes(NDA_LLADDR, neighbour.lladdr->bytes());
  if (neighbour.protocol != 0) message.u8(NDA_PROTOCOL, neighbour.protocol);
  return {wire::NetlinkChange{std::move(message).finish()}};
}

std::vector<wire::Request> update(const Neighbour& have, const Neighbour& want,
                                  const LinkNames& links) {
  std::vector<wire::Request> requests;
  // A protocol of 0 says to leave it as it is (neigh_add() in net/core/neighbour.c).
  if (have.protocol != want.protocol && want.protocol == 0) requests = remove(have, links);
  for (wire::Request& request : create(want, links)) requests.push_back(std::move(request));
  return requests;
}

std::vector<wire::Request> remove(const Neighbour& neighbour, const LinkNames& links) {
  return {wire::NetlinkChange{message_for(RTM_DELNEIGH, 0, neighbour, links).finish()}};
}

}  // namespace plumbline
