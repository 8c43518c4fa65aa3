#include "plumbline/io/kernel_events.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

#include "plumbline/io/host.hpp"
#include "plumbline/wire/netlink.hpp"

namespace plumbline::io {

namespace {

/// Enough for 1000 interfaces put into a bridge at once, which is 9 MB of events.
constexpr int wanted_buffer = 16 << 20;

constexpr std::array groups{RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR,
                            RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,   RTNLGRP_IPV4_RULE,
                            RTNLGRP_IPV6_RULE,  RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF};

}  // namespace

KernelEvents::KernelEvents()
    : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)) {
  if (!socket_) give_up("cannot open a netlink socket", errno);
  if (setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &wanted_buffer, sizeof wanted_buffer) !=
      0) {
    static_cast<void>(
        setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &wanted_buffer, sizeof wanted_buffer));
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    give_up("cannot bind a netlink socket", errno);
  }
  for (const int group : groups) {
    if (setsockopt(socket_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
      give_up("cannot subscribe to the kernel's events", errno);
    }
  }
}

KernelEvents::Drained KernelEvents::drain() {
  Drained drained;
  // The headers alone are of interest: what does not fit is cut off and dropped.
  std::array<std::byte, 4096> buffer;
  while (true) {
    sockaddr_nl sender{};
    socklen_t length = sizeof sender;
    const ssize_t size = recvfrom(socket_.get(), buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&sender), &length);
    if (size >= 0) {
      if (sender.nl_pid == 0) ++drained.count;
    } else if (errno == ENOBUFS) {
      drained.lost = true;
    } else if (errno == EAGAIN) {
      return drained;
    } else if (errno != EINTR) {
      give_up("cannot read the kernel's events", errno);
    }
  }
}

}  // namespace plumbline::io
