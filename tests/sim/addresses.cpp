// RTM_NEWADDR, RTM_DELADDR and the dump: net/ipv4/devinet.c, net/ipv6/addrconf.c.

#include "tests/sim/addresses.hpp"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "tests/sim/attributes.hpp"
#include "tests/sim/sysctls.hpp"

namespace plumbline::sim {

namespace {

constexpr std::uint32_t choosable6 = IFA_F_NODAD | IFA_F_OPTIMISTIC | IFA_F_HOMEADDRESS |
                                     IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

/// ipv6_addr_type() as RT_SCOPE_… (rt_scope())
std::uint8_t scope6(const IpAddress& address) {
  if (address == *IpAddress::parse("::1")) return RT_SCOPE_HOST;
  return is_link_local(address) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

/// What both families read alike; the lifetimes are all there is of IFA_CACHEINFO.
Address common(const ifaddrmsg& header, const Attributes& given) {
  Address address;
  address.length = header.ifa_prefixlen;
  address.scope = header.ifa_scope;
  address.flags = given.u32(IFA_FLAGS).value_or(header.ifa_flags);
  address.protocol = given.u8(IFA_PROTO).value_or(0);
  address.metric = given.u32(IFA_RT_PRIORITY).value_or(0);
  if (const auto times = given.get<ifa_cacheinfo>(IFA_CACHEINFO)) {
    address.preferred = times->ifa_prefered;
    address.valid = times->ifa_valid;
  }
  return address;
}

void add(Namespace& there, const wire::Message& message, const ifaddrmsg& header,
         const Attributes& given) {
  Address address = common(header, given);
  if (header.ifa_prefixlen > 32) throw Refusal{EINVAL, "ipv4: Invalid prefix length"};
  const auto local = given.address(IFA_LOCAL);
  if (!local) throw Refusal{EINVAL, "ipv4: Local address is not supplied"};
  if (address.valid == 0) throw Refusal{EINVAL, "ipv4: Valid lifetime is zero"};
  if (address.preferred > address.valid) {
    throw Refusal{EINVAL, "ipv4: Preferred lifetime is greater than valid lifetime"};
  }
  if (*local == IpAddress::any(Family::inet)) return;  // inet_rtm_newaddr()
  Device* device = there.device(static_cast<int>(header.ifa_index));
  if (device == nullptr) throw Refusal{ENODEV, "ipv4: Device not found"};
  address.local = *local;
  address.peer = given.address(IFA_ADDRESS).value_or(*local);
  address.broadcast = given.address(IFA_BROADCAST);
  address.label = given.has(IFA_LABEL) ? given.string(IFA_LABEL) : device->name;
  if (address.valid == UINT32_MAX) address.flags |= IFA_F_PERMANENT;
  settle_inet(*device);
  for (Address& present : device->inet) {
    const bool same = present.local == *local && present.length == address.length &&
                      present.network() == address.network();
    if (!same) continue;
    if ((message.flags() & NLM_F_EXCL) != 0 || (message.flags() & NLM_F_REPLACE) == 0) {
      throw Refusal{EEXIST, "ipv4: Address already assigned"};
    }
    return change_inet(there, *device, present, address);
  }
  add_inet(there, *device, address);
}

void add6(Namespace& there, const wire::Message& message, const ifaddrmsg& header,
          const Attributes& given) {
  Address address = common(header, given);
  const auto peer = given.address(IFA_ADDRESS);
  const auto local = given.address(IFA_LOCAL);
  if (!peer && !local) throw Refusal{EINVAL, ""};
  address.local = local.value_or(peer.value_or(IpAddress()));
  address.peer = peer.value_or(address.local);
  if (address.peer == IpAddress::any(Family::inet6)) address.peer = address.local;
  address.scope = scope6(address.local);
  address.flags &= choosable6;
  if (address.valid == UINT32_MAX) address.flags |= IFA_F_PERMANENT;
  Device* device = there.device(static_cast<int>(header.ifa_index));
  if (device == nullptr) throw Refusal{ENODEV, "ipv6: Unable to find the interface"};
  if (!device->has_inet6) throw Refusal{EINVAL, ""};
  for (Address& present : device->inet6) {
    if (present.local != address.local) continue;
    if ((message.flags() & NLM_F_EXCL) != 0 || (message.flags() & NLM_F_REPLACE) == 0) {
      throw Refusal{EEXIST, "ipv6: address already assigned"};
    }
    return change_inet6(there, *device, present, address);
  }
  if (address.length > 128) throw Refusal{EINVAL, "ipv6: Invalid prefix length"};
  add_inet6(there, *device, address);
}

void remove(Namespace& there, const ifaddrmsg& header, const Attributes& given) {
  Device* device = there.device(static_cast<int>(header.ifa_index));
  if (device == nullptr) throw Refusal{ENODEV, "ipv4: Device not found"};
  const auto local = given.address(IFA_LOCAL);
  const auto peer = given.address(IFA_ADDRESS);
  for (std::size_t i = 0; i < device->inet.size(); ++i) {
    const Address& present = device->inet[i];
    if (local && present.local != *local) continue;
    if (given.has(IFA_LABEL) && present.label != given.string(IFA_LABEL)) continue;
    const bool same_network =
        !peer || (present.length == header.ifa_prefixlen && present.network().contains(*peer));
    if (same_network) return remove_inet(there, *device, i);
  }
  throw Refusal{EADDRNOTAVAIL, "ipv4: Address not found"};
}

void remove6(Namespace& there, const ifaddrmsg& header, const Attributes& given) {
  const auto peer = given.address(IFA_ADDRESS);
  const auto local = given.address(IFA_LOCAL);
  if (!peer && !local) throw Refusal{EINVAL, ""};
  if (header.ifa_prefixlen > 128) throw Refusal{EINVAL, "ipv6: Invalid prefix length"};
  Device* device = there.device(static_cast<int>(header.ifa_index));
  if (device == nullptr) throw Refusal{ENODEV, "ipv6: Unable to find the interface"};
  if (!device->has_inet6) throw Refusal{ENXIO, "ipv6: IPv6 is disabled on this device"};
  const IpAddress wanted = local.value_or(peer.value_or(IpAddress()));
  for (std::size_t i = 0; i < device->inet6.size(); ++i) {
    const Address& present = device->inet6[i];
    if (present.length == header.ifa_prefixlen && present.local == wanted) {
      return remove_inet6(there, *device, i);
    }
  }
  throw Refusal{EADDRNOTAVAIL, "ipv6: address not found"};
}

void put(wire::Bytes& all, const Device& device, const Address& address) {
  wire::MessageBuilder message(RTM_NEWADDR, NLM_F_MULTI);
  ifaddrmsg header{};
  header.ifa_family = address_family(address.local.family());
  header.ifa_prefixlen = address.length;
  header.ifa_flags = static_cast<std::uint8_t>(address.flags);
  header.ifa_scope = address.scope;
  header.ifa_index = static_cast<std::uint32_t>(device.index);
  message.header(header);
  const bool inet = address.local.family() == Family::inet;
  if (inet || address.peer != address.local) message.address(IFA_LOCAL, address.local);
  if (address.peer != IpAddress::any(Family::inet)) message.address(IFA_ADDRESS, address.peer);
  if (address.broadcast) message.address(IFA_BROADCAST, *address.broadcast);
  if (inet && !address.label.empty()) message.string(IFA_LABEL, address.label);
  if (address.protocol != 0) message.u8(IFA_PROTO, address.protocol);
  message.u32(IFA_FLAGS, address.flags);
  if (address.metric != 0) message.u32(IFA_RT_PRIORITY, address.metric);
  const ifa_cacheinfo times{address.preferred, address.valid, 0, 0};
  message.bytes(IFA_CACHEINFO, std::as_bytes(std::span(&times, 1)));
  const wire::Bytes bytes = std::move(message).finish();
  all.insert(all.end(), bytes.begin(), bytes.end());
  all.resize(wire::aligned(all.size()));
}

}  // namespace

void new_address(Namespace& there, const wire::Message& message) {
  const auto header = message.fixed<ifaddrmsg>();
  const auto given = Attributes::behind<ifaddrmsg>(message);
  if (header.ifa_family == AF_INET) return add(there, message, header, given);
  if (header.ifa_family == AF_INET6) return add6(there, message, header, given);
  throw Refusal{EOPNOTSUPP, ""};
}

void remove_address(Namespace& there, const wire::Message& message) {
  const auto header = message.fixed<ifaddrmsg>();
  const auto given = Attributes::behind<ifaddrmsg>(message);
  if (header.ifa_family == AF_INET) return remove(there, header, given);
  if (header.ifa_family == AF_INET6) return remove6(there, header, given);
  throw Refusal{EOPNOTSUPP, ""};
}

wire::Bytes dump_addresses(const Namespace& there, const wire::Message& request) {
  const std::uint8_t family = request.fixed<ifaddrmsg>().ifa_family;
  wire::Bytes all;
  for (const auto& [index, device] : there.devices) {
    if (family == AF_INET6) break;
    for (const Address& address : device.inet) put(all, device, address);
  }
  for (const auto& [index, device] : there.devices) {
    if (family == AF_INET) break;
    for (const Address& address : device.inet6) put(all, device, address);
  }
  return all;
}

}  // namespace plumbline::sim
