#include "tests/sim/neighbours.hpp"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "tests/sim/attributes.hpp"

namespace plumbline::sim {

namespace {

/// What a message is about.
struct Asked {
  Device& device;
  Neighbour neighbour;
  std::vector<Neighbour>::iterator found;

  [[nodiscard]] bool is_there() const { return found != device.neighbours.end(); }
};

Asked read(Namespace& there, const wire::Message& message) {
  const auto header = message.fixed<ndmsg>();
  const auto given = Attributes::behind<ndmsg>(message);
  if (!given.has(NDA_DST)) throw Refusal{EINVAL, "Network address not specified"};
  Device* device = there.device(header.ndm_ifindex);
  if (device == nullptr) throw Refusal{ENODEV, ""};
  const auto to = given.address(NDA_DST);
  if (header.ndm_family != AF_INET && header.ndm_family != AF_INET6) {
    throw Refusal{EAFNOSUPPORT, ""};
  }
  if (!to || address_family(to->family()) != header.ndm_family) {
    throw Refusal{EINVAL, "Invalid network address"};
  }
  Neighbour neighbour;
  neighbour.to = *to;
  neighbour.proxy = (header.ndm_flags & NTF_PROXY) != 0;
  neighbour.flags = header.ndm_flags;
  neighbour.mac = Mac::from_bytes(given.bytes(NDA_LLADDR));
  neighbour.protocol = given.u8(NDA_PROTOCOL).value_or(0);
  const auto found = std::ranges::find_if(device->neighbours, [&](const Neighbour& other) {
    return other.to == neighbour.to && other.proxy == neighbour.proxy;
  });
  return {*device, neighbour, found};
}

void put(wire::Bytes& all, const Device& device, const Neighbour& neighbour) {
  ndmsg header{};
  header.ndm_family = address_family(neighbour.to.family());
  header.ndm_ifindex = device.index;
  header.ndm_state = neighbour.proxy ? NUD_NONE : NUD_PERMANENT;
  header.ndm_flags = neighbour.flags;
  wire::MessageBuilder message(RTM_NEWNEIGH, 0);
  message.header(header).address(NDA_DST, neighbour.to);
  if (neighbour.mac) message.bytes(NDA_LLADDR, neighbour.mac->bytes());
  if (neighbour.protocol != 0) message.u8(NDA_PROTOCOL, neighbour.protocol);
  const wire::Bytes bytes = std::move(message).finish();
  all.insert(all.end(), bytes.begin(), bytes.end());
  all.resize(wire::aligned(all.size()));
}

}  // namespace

void new_neighbour(Namespace& there, const wire::Message& message) {
  Asked asked = read(there, message);
  if (!asked.is_there()) {
    if (!asked.neighbour.proxy && (message.flags() & NLM_F_CREATE) == 0) throw Refusal{ENOENT, ""};
    asked.device.neighbours.push_back(asked.neighbour);
    return;
  }
  if (!asked.neighbour.proxy && (message.flags() & NLM_F_EXCL) != 0) throw Refusal{EEXIST, ""};
  if (asked.neighbour.protocol == 0) asked.neighbour.protocol = asked.found->protocol;
  if (!asked.neighbour.mac) asked.neighbour.mac = asked.found->mac;
  *asked.found = asked.neighbour;
}

void remove_neighbour(Namespace& there, const wire::Message& message) {
  const Asked asked = read(there, message);
  if (!asked.is_there()) throw Refusal{ENOENT, ""};
  asked.device.neighbours.erase(asked.found);
}

wire::Bytes dump_neighbours(const Namespace& there, const wire::Message& request) {
  const auto header = request.fixed<ndmsg>();
  const bool proxies = (header.ndm_flags & NTF_PROXY) != 0;
  wire::Bytes all;
  for (const Family family : {Family::inet, Family::inet6}) {
    if (header.ndm_family != 0 && header.ndm_family != address_family(family)) continue;
    for (const auto& [ignored, device] : there.devices) {
      for (const Neighbour& neighbour : device.neighbours) {
        const bool meant = neighbour.proxy == proxies && neighbour.to.family() == family;
        if (meant) put(all, device, neighbour);
      }
    }
  }
  return all;
}

void forget_neighbours(Device& device) { device.neighbours.clear(); }

void flush_neighbours(Device& device) {
  std::erase_if(device.neighbours, [](const Neighbour& neighbour) { return !neighbour.proxy; });
}

}  // namespace plumbline::sim
