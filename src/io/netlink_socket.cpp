#include "plumbline/io/netlink_socket.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "dump_reader.hpp"
#include "plumbline/io/host.hpp"

namespace plumbline::io {

namespace {

constexpr int wanted_buffer = 8 << 20;
constexpr std::size_t largest_send = std::size_t{1} << 20U;
constexpr std::size_t most_messages_in_a_send = 1000;
/// What an error message takes of the receive buffer, at most: an skb of its own with its overhead
/// and a short text (netlink_ack() in net/netlink/af_netlink.c).
constexpr std::size_t room_for_an_error = 2048;
/// The kernel fills at most 32 KiB with one part of a dump; a single object may be larger.
constexpr std::size_t first_receive_buffer = std::size_t{64} << 10U;
constexpr std::size_t largest_receive_buffer = std::size_t{64} << 20U;
constexpr int attempts = 8;
/// Of those, the ones that follow at once: somebody who waits for a quiet moment finds others at
/// work again.
constexpr int attempts_in_a_row = 3;

nlmsghdr header_of(const wire::Bytes& message) {
  nlmsghdr header{};
  if (message.size() < sizeof header) throw HostError("netlink: a request without a header");
  std::memcpy(&header, message.data(), sizeof header);
  // A wrong length would make the kernel drop everything behind it without a word.
  if (header.nlmsg_len != message.size()) throw HostError("netlink: a request of a wrong length");
  return header;
}

/// Sets the buffer beyond net.core.{r,w}mem_max where we may, else up to it. Returns the result.
std::size_t set_buffer(int socket, int force, int plain, int wanted) {
  if (setsockopt(socket, SOL_SOCKET, force, &wanted, sizeof wanted) != 0) {
    static_cast<void>(setsockopt(socket, SOL_SOCKET, plain, &wanted, sizeof wanted));
  }
  int size = 0;
  socklen_t length = sizeof size;
  if (getsockopt(socket, SOL_SOCKET, plain, &size, &length) != 0) {
    give_up("netlink: cannot read a buffer's size", errno);
  }
  return static_cast<std::size_t>(size);
}

void set_option(int socket, int option) {
  const int on = 1;
  static_cast<void>(setsockopt(socket, SOL_NETLINK, option, &on, sizeof on));
}

}  // namespace

NetlinkSocket::NetlinkSocket(int protocol)
    : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)),
      incoming_(first_receive_buffer) {
  if (!socket_) give_up("cannot open a netlink socket", errno);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    give_up("cannot bind a netlink socket", errno);
  }
  socklen_t length = sizeof address;
  if (getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    give_up("cannot read the port of a netlink socket", errno);
  }
  port_ = address.nl_pid;
  set_option(socket_.get(), NETLINK_EXT_ACK);
  set_option(socket_.get(), NETLINK_CAP_ACK);
  set_option(socket_.get(), NETLINK_GET_STRICT_CHK);
  enlarge_buffers();
  show_receive_buffer();
}

void NetlinkSocket::show_receive_buffer() {
  const wire::Bytes nothing = wire::MessageBuilder(NLMSG_NOOP, NLM_F_ACK).finish();
  if (send(nothing) == 0) static_cast<void>(receive());
}

void NetlinkSocket::enlarge_buffers() {
  // sk_sndbuf limits a single message, less 32 bytes (netlink_sendmsg()).
  const std::size_t send_buffer =
      set_buffer(socket_.get(), SO_SNDBUFFORCE, SO_SNDBUF, wanted_buffer);
  const std::size_t receive_buffer =
      set_buffer(socket_.get(), SO_RCVBUFFORCE, SO_RCVBUF, wanted_buffer);
  most_bytes_ = std::min(largest_send, send_buffer - 32);
  most_messages_ =
      std::clamp(receive_buffer / room_for_an_error, std::size_t{1}, most_messages_in_a_send);
}

void NetlinkSocket::make_room_for(std::size_t bytes) {
  // The kernel doubles what is asked, for its own overhead (sock_setsockopt()).
  if (bytes <= std::size_t{wanted_buffer}) return;
  const auto wanted = static_cast<int>(std::min(bytes, std::size_t{1} << 30U));
  static_cast<void>(set_buffer(socket_.get(), SO_SNDBUFFORCE, SO_SNDBUF, wanted));
  // All of it may be sent back.
  static_cast<void>(set_buffer(socket_.get(), SO_RCVBUFFORCE, SO_RCVBUF, wanted));
}

std::size_t NetlinkSocket::batch_end(const Messages& messages, std::size_t first) const {
  std::size_t bytes = wire::aligned(messages[first]->size());
  std::size_t end = first + 1;
  while (end < messages.size() && end - first < most_messages_) {
    bytes += wire::aligned(messages[end]->size());
    if (bytes > most_bytes_) break;
    ++end;
  }
  return end;
}

std::uint32_t NetlinkSocket::pack(const Messages& messages, std::size_t first, std::size_t last,
                                  bool ack_only_the_last) {
  outgoing_.clear();
  const std::uint32_t first_sequence = sequence_ + 1;
  for (std::size_t index = first; index < last; ++index) {
    nlmsghdr header = header_of(*messages[index]);
    header.nlmsg_seq = ++sequence_;
    header.nlmsg_pid = 0;
    if (ack_only_the_last) {
      const unsigned without = header.nlmsg_flags & ~static_cast<unsigned>(NLM_F_ACK);
      header.nlmsg_flags =
          static_cast<std::uint16_t>(index + 1 == last ? without | NLM_F_ACK : without);
    }
    const std::size_t offset = outgoing_.size();
    outgoing_.insert(outgoing_.end(), messages[index]->begin(), messages[index]->end());
    std::memcpy(outgoing_.data() + offset, &header, sizeof header);
    outgoing_.resize(wire::aligned(outgoing_.size()));
  }
  return first_sequence;
}

int NetlinkSocket::send(std::span<const std::byte> bytes) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  while (sendto(socket_.get(), bytes.data(), bytes.size(), 0,
                reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

NetlinkSocket::Arrived NetlinkSocket::receive() {
  while (true) {
    sockaddr_nl sender{};
    iovec part{incoming_.data(), incoming_.size()};
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof sender;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    const ssize_t size = recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return Arrived::nothing;
      if (errno == ENOBUFS) return Arrived::lost;
      give_up("cannot read from a netlink socket", errno);
    }
    // Any process may send to our port; the kernel is port 0.
    if (header.msg_namelen != sizeof sender || sender.nl_pid != 0) continue;
    const auto whole = static_cast<std::size_t>(size);
    received_ = std::span<const std::byte>(incoming_).first(std::min(whole, incoming_.size()));
    if ((header.msg_flags & MSG_TRUNC) == 0) return Arrived::data;
    if (whole > largest_receive_buffer) throw HostError("netlink: an answer is too large");
    incoming_.resize(std::max(whole, incoming_.size() * 2));
    received_ = {};
    return Arrived::truncated;
  }
}

void NetlinkSocket::read_acks(std::uint32_t first_sequence, std::span<wire::Reply> replies,
                              bool last_is_acked) {
  bool last_seen = false;
  bool lost = false;
  std::vector<bool> answered(replies.size());
  const auto take = [&](const wire::Message& message) {
    if (message.type() != NLMSG_ERROR) return;
    const std::size_t index = message.header().nlmsg_seq - first_sequence;
    if (index >= replies.size()) return;
    wire::Ack ack = wire::read_ack(message);
    answered[index] = true;
    // A batch may report an error and then another for the same message: the first counts.
    if (replies[index].error == 0) replies[index] = {ack.error, std::move(ack.message), {}, {}};
    if (index + 1 == replies.size()) last_seen = true;
  };
  for (Arrived arrived = receive(); arrived != Arrived::nothing; arrived = receive()) {
    if (arrived == Arrived::data) {
      wire::for_each_message(received_, take);
    } else {
      lost = true;
    }
  }
  if (!lost && (last_seen || !last_is_acked)) return;
  for (std::size_t index = 0; index < replies.size(); ++index) {
    if (!answered[index]) replies[index] = {ENOBUFS, "the kernel's answer was lost", {}, {}};
  }
}

std::vector<wire::Reply> NetlinkSocket::change(const Messages& messages) {
  std::vector<wire::Reply> replies(messages.size());
  for (std::size_t first = 0; first < messages.size();) {
    const std::size_t last = batch_end(messages, first);
    const auto part = std::span(replies).subspan(first, last - first);
    // An error is always reported, a success only with NLM_F_ACK (netlink_rcv_skb()): asked for on
    // the last alone, silence about the others is their success.
    const std::uint32_t sequence = pack(messages, first, last, true);
    const int error = send(outgoing_);
    if (error != 0) {
      for (auto& reply : part) reply = {error, "cannot send the request to the kernel", {}, {}};
    } else {
      read_acks(sequence, part, true);
    }
    first = last;
  }
  return replies;
}

wire::Reply NetlinkSocket::transact(wire::Bytes messages) {
  make_room_for(messages.size());
  const std::uint32_t first = sequence_ + 1;
  wire::for_each_message(messages, [&](const wire::Message& message) {
    nlmsghdr header = message.header();
    header.nlmsg_seq = ++sequence_;
    header.nlmsg_pid = 0;
    const auto offset = message.payload().data() - messages.data();
    std::memcpy(messages.data() + (static_cast<std::size_t>(offset) - sizeof header), &header,
                sizeof header);
  });
  if (const int error = send(messages); error != 0) give_up("cannot send a batch", error);

  wire::Reply reply;
  bool lost = false;
  for (Arrived arrived = receive(); arrived != Arrived::nothing; arrived = receive()) {
    if (arrived != Arrived::data) {
      lost = true;
      continue;
    }
    wire::for_each_message(received_, [&](const wire::Message& message) {
      const std::size_t place = message.header().nlmsg_seq - first;
      if (place >= sequence_ + 1 - first || reply.error != 0) return;
      if (message.type() != NLMSG_ERROR) {
        const auto whole = message.whole();
        reply.bytes.insert(reply.bytes.end(), whole.begin(), whole.end());
        reply.bytes.resize(wire::aligned(reply.bytes.size()));
        return;
      }
      wire::Ack ack = wire::read_ack(message);
      if (ack.error != 0) reply = {ack.error, std::move(ack.message), {}, {}, place};
    });
  }
  // Errors arrive in order, so one that was read is the first; with none there may have been one.
  if (lost && reply.error == 0) reply = {ENOBUFS, "the kernel's answer was lost", {}, {}};
  return reply;
}

std::optional<wire::Reply> NetlinkSocket::ask(const wire::Bytes& request) {
  DumpReader reader(pack({&request}, 0, 1, false));
  const int error = send(outgoing_);
  if (error != 0) give_up("cannot ask the kernel", error);
  // To its end, whole or not: a dump left unfinished answers the next one with EBUSY.
  while (!reader.finished()) {
    const Arrived arrived = receive();
    if (arrived == Arrived::nothing) return std::nullopt;
    if (arrived == Arrived::data) {
      reader.read(received_);
    } else {
      reader.miss();
    }
  }
  if (!reader.whole()) return std::nullopt;
  return std::move(reader).take();
}

wire::Reply NetlinkSocket::dump(const wire::Bytes& request) {
  wire::Bytes asked = request;
  nlmsghdr header = header_of(asked);
  header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
  std::memcpy(asked.data(), &header, sizeof header);
  return ask_until_whole(asked);
}

wire::Reply NetlinkSocket::get(const wire::Bytes& request) { return ask_until_whole(request); }

wire::Reply NetlinkSocket::ask_until_whole(const wire::Bytes& request) {
  try {
    for (int attempt = 0; attempt < attempts; ++attempt) {
      const int waits = attempt - attempts_in_a_row;
      if (waits >= 0) std::this_thread::sleep_for(std::chrono::milliseconds(2 << waits));
      if (auto reply = ask(request)) return std::move(*reply);
    }
  } catch (...) {
    while (receive() != Arrived::nothing) {
    }
    throw;
  }
  throw HostError("the kernel's state changes faster than it can be read");
}

}  // namespace plumbline::io
