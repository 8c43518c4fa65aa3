#include "plumbline/io/kernel_events.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>

#include "plumbline/io/host.hpp"
#include "plumbline/wire/netlink.hpp"

namespace plumbline::io {

namespace {

/// Enough for 1000 interfaces put into a bridge at once, which is 9 MB of events.
constexpr int wanted_buffer = 16 << 20;

constexpr std::array groups{RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR,
                            RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,   RTNLGRP_IPV4_RULE,
                            RTNLGRP_IPV6_RULE,  RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF};

constexpr std::uint16_t new_generation = NFNL_SUBSYS_NFTABLES << 8U | NFT_MSG_NEWGEN;

Descriptor open_socket(int protocol) {
  return Descriptor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}

bool bind_socket(const Descriptor& socket) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  return bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool join(const Descriptor& socket, int group) {
  return setsockopt(socket.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0;
}

Descriptor subscribe_to_routing() {
  Descriptor socket = open_socket(NETLINK_ROUTE);
  if (!socket) give_up("cannot open a netlink socket", errno);
  if (setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &wanted_buffer, sizeof wanted_buffer) !=
      0) {
    static_cast<void>(
        setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &wanted_buffer, sizeof wanted_buffer));
  }
  if (!bind_socket(socket)) give_up("cannot bind a netlink socket", errno);
  for (const int group : groups) {
    if (!join(socket, group)) give_up("cannot subscribe to the kernel's events", errno);
  }
  return socket;
}

/// A commit tells of every rule it touches, 10 MB for 10 000 of them, and at last of the new
/// generation, in a datagram of its own (nf_tables_gen_notify() in net/netfilter/nf_tables_api.c):
/// only that one passes. What a filter drops takes nothing of the receive buffer.
bool let_only_generations_pass(const Descriptor& socket) {
  std::array program{
      // Loads as big endian what the kernel wrote in its own order.
      sock_filter BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(nlmsghdr, nlmsg_type)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(new_generation), 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, ~0U),
      sock_filter BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
  return setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) == 0;
}

/// None where it cannot be: a kernel without nfnetlink, or no permission. The group can be joined
/// before there is a module for it.
Descriptor subscribe_to_nf_tables() {
  Descriptor socket = open_socket(NETLINK_NETFILTER);
  if (!socket || !let_only_generations_pass(socket) || !bind_socket(socket) ||
      !join(socket, NFNLGRP_NFTABLES)) {
    return {};
  }
  return socket;
}

Descriptor wait_for(std::initializer_list<std::reference_wrapper<const Descriptor>> sockets) {
  Descriptor both(epoll_create1(EPOLL_CLOEXEC));
  if (!both) give_up("cannot wait for the kernel's events", errno);
  for (const Descriptor& socket : sockets) {
    epoll_event readable{};
    readable.events = EPOLLIN;
    if (socket && epoll_ctl(both.get(), EPOLL_CTL_ADD, socket.get(), &readable) != 0) {
      give_up("cannot wait for the kernel's events", errno);
    }
  }
  return both;
}

/// Calls `visit` with each message that the kernel sent. Returns whether some were lost.
bool drain_socket(const Descriptor& socket,
                  const std::function<void(std::span<const std::byte>)>& visit) {
  bool lost = false;
  // The headers alone are of interest, and small messages: what does not fit is cut off and
  // dropped.
  std::array<std::byte, 4096> buffer;
  while (true) {
    sockaddr_nl sender{};
    socklen_t length = sizeof sender;
    const ssize_t size = recvfrom(socket.get(), buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&sender), &length);
    if (size >= 0) {
      if (sender.nl_pid == 0) {
        visit(std::span<const std::byte>(buffer).first(static_cast<std::size_t>(size)));
      }
    } else if (errno == ENOBUFS) {
      lost = true;
    } else if (errno == EAGAIN) {
      return lost;
    } else if (errno != EINTR) {
      give_up("cannot read the kernel's events", errno);
    }
  }
}

Events::Writer writer_of(std::span<const std::byte> datagram) {
  Events::Writer writer;
  wire::for_each_message(datagram, [&](const wire::Message& message) {
    writer.port = message.header().nlmsg_pid;
    message.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
      if (attribute.type() == NFTA_GEN_PROC_PID) writer.thread = ntohl(attribute.u32());
      if (attribute.type() == NFTA_GEN_PROC_NAME) writer.name = attribute.string();
    });
  });
  return writer;
}

}  // namespace

KernelEvents::KernelEvents()
    : routing_(subscribe_to_routing()),
      nf_tables_(subscribe_to_nf_tables()),
      both_(wait_for({routing_, nf_tables_})) {}

KernelEvents::Drained KernelEvents::drain() {
  Drained drained;
  drained.lost = drain_socket(routing_, [&](auto) { ++drained.count; });
  if (!nf_tables_) return drained;
  const bool lost = drain_socket(nf_tables_, [&](auto datagram) {
    ++drained.count;
    Writer writer = writer_of(datagram);
    if (std::ranges::find(drained.writers, writer) == drained.writers.end()) {
      drained.writers.push_back(std::move(writer));
    }
  });
  drained.lost = drained.lost || lost;
  return drained;
}

}  // namespace plumbline::io
