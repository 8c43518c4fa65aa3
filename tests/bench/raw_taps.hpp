// TAPs on bridges with as few system calls and messages as the kernel lets anybody make them with,
// and nothing kept of them: what plumbline is measured against.

#pragma once

#include <array>

#include "plumbline/io/descriptor.hpp"
#include "plumbline/io/netlink_socket.hpp"
#include "plumbline/spec/network.hpp"

namespace plumbline::bench {

/// A link `up0` that a network can go out by, and `beyond_uplink()` behind it, who takes whatever
/// comes. Aborts when there can be none.
void make_uplink();
[[nodiscard]] IpAddress beyond_uplink();
/// How many packets the host has forwarded.
[[nodiscard]] std::uint64_t forwarded();

class RawTaps {
 public:
  RawTaps();

  /// Bridges `net0`… and TAPs, up and ports of them: three ioctls each, then one message each, a
  /// thousand in one send.
  void make(int bridges, int taps_each);
  /// A group for all that goes, a removal of the group for every 128 of them, then the bridges.
  void remove(int bridges, int taps_each);
  /// Everything that a pass looks at and rtnetlink has, received and not looked at.
  void dump();

 private:
  void send(const std::vector<wire::Bytes>& messages);

  io::NetlinkSocket socket_;
};

/// A guest: holds its TAP, and sends frames of its own as a VMM does.
class GuestPort {
 public:
  explicit GuestPort(const spec::AssignedInterface& self);

  /// One UDP packet to another guest. Aborts when the TAP does not take it.
  void send_to(const spec::AssignedInterface& other) { send(other.mac, other.ip); }
  void send(const Mac& next, const IpAddress& to);

 private:
  io::Descriptor tap_;
  std::array<unsigned char, 64> frame_{};
};

}  // namespace plumbline::bench
