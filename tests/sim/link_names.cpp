// Links by their names, and the dump of all links (rtnl_fill_ifinfo() in
// net/core/rtnetlink.c).

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>

#include "tests/sim/links.hpp"
#include "tests/sim/sysctls.hpp"

namespace plumbline::sim {

Device* Namespace::device(const std::string& name) {
  for (auto& [index, device] : devices) {
    if (device.name == name || std::ranges::count(device.altnames, name) != 0) return &device;
  }
  return nullptr;
}

/// dev_valid_name() in net/core/dev.c
void check_name(const std::string& name) {
  const auto is_bad = [](unsigned char c) { return c == '/' || c == ':' || std::isspace(c) != 0; };
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == ".." ||
      std::ranges::any_of(name, is_bad)) {
    throw Refusal{EINVAL, ""};
  }
}

wire::Bytes dump_links(const Namespace& there) {
  wire::Bytes all;
  for (const auto& [index, device] : there.devices) {
    wire::MessageBuilder message(RTM_NEWLINK, NLM_F_MULTI);
    ifinfomsg header{};
    header.ifi_index = index;
    header.ifi_type = device.is(IFF_LOOPBACK) ? 772 : 1;  // ARPHRD_LOOPBACK, ARPHRD_ETHER
    header.ifi_flags = device.flags;
    message.header(header).string(IFLA_IFNAME, device.name);
    message.u32(IFLA_TXQLEN, device.tx_queue_length).u32(IFLA_MTU, device.mtu);
    message.u32(IFLA_MIN_MTU, device.least_mtu).u32(IFLA_MAX_MTU, device.most_mtu);
    message.u32(IFLA_GROUP, device.group).u8(IFLA_CARRIER, device.carrier ? 1 : 0);
    message.bytes(IFLA_ADDRESS, device.mac.bytes());
    if (device.master != 0) message.u32(IFLA_MASTER, static_cast<std::uint32_t>(device.master));
    if (device.peer != 0) message.u32(IFLA_LINK, static_cast<std::uint32_t>(device.peer));
    if (!device.alias.empty()) message.string(IFLA_IFALIAS, device.alias);
    put_kind(message, device);
    message.nest(IFLA_AF_SPEC, [&](wire::MessageBuilder& families) {
      families.nest(AF_INET, [&](wire::MessageBuilder& inet) {
        const auto numbers = inet_configuration(device);
        inet.bytes(IFLA_INET_CONF, std::as_bytes(std::span(numbers)));
      });
    });
    if (!device.altnames.empty()) {
      message.nest(IFLA_PROP_LIST, [&](wire::MessageBuilder& list) {
        for (const std::string& name : device.altnames) list.string(IFLA_ALT_IFNAME, name);
      });
    }
    const wire::Bytes bytes = std::move(message).finish();
    all.insert(all.end(), bytes.begin(), bytes.end());
    all.resize(wire::aligned(all.size()));
  }
  return all;
}

}  // namespace plumbline::sim
