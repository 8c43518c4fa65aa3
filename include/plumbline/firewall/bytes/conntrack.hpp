// The kernel's table of connections (net/netfilter/nf_conntrack_netlink.c): what flows, and how to
// make it forget a flow, so that the next packet of it is judged as a first one.

#pragma once

#include <cstdint>
#include <vector>

#include "plumbline/base/ip.hpp"
#include "plumbline/wire/request.hpp"

namespace plumbline::firewall {

struct Flow {
  IpAddress from;            ///< of the packet that began it
  IpAddress to;              ///< before any NAT
  std::uint32_t status = 0;  ///< IPS_… of linux/netfilter/nf_conntrack_common.h
  /// Addresses and ports as the kernel has them, of the packets that began it and of the answers.
  /// Bytes to compare: a flow that the other end begins has one's answers as its own.
  wire::Bytes original;
  wire::Bytes reply;
  wire::Bytes deletion;  ///< the message that deletes this very entry

  /// Its source (its destination) is another one behind this host.
  [[nodiscard]] bool has_source_nat() const;
  [[nodiscard]] bool has_destination_nat() const;
};

/// For a NetfilterQuery: every IPv4 flow.
[[nodiscard]] wire::Bytes flow_dump();
/// What came of it. Throws Malformed.
[[nodiscard]] std::vector<Flow> read_flows(const wire::Bytes& answer);

}  // namespace plumbline::firewall
