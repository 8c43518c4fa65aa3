// A netlink socket for requests and their answers.
//
// Sends changes many at a time and finds out about every one of them; makes dumps that are whole
// or nothing. Knows no message but the control messages of netlink itself. Events have a socket of
// their own (kernel_events.hpp): what comes here is asked for.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "plumbline/io/descriptor.hpp"
#include "plumbline/wire/netlink.hpp"
#include "plumbline/wire/request.hpp"

namespace plumbline::io {

using Messages = std::vector<const wire::Bytes*>;

/// The kernel carries a request out before send() returns (netlink_unicast_kernel() in
/// net/netlink/af_netlink.c), so all of its answers are there then and nothing waits here.
class NetlinkSocket {
 public:
  /// `protocol` is NETLINK_ROUTE or NETLINK_NETFILTER. The socket belongs to the network namespace
  /// of the calling thread for good. Throws HostError.
  explicit NetlinkSocket(int protocol);

  /// What the kernel calls it in the messages that it sends to others.
  [[nodiscard]] std::uint32_t port() const { return port_; }

  /// Carries out each message by itself, in order: one reply per message. An error in one does not
  /// stop those behind it. A success has no message.
  [[nodiscard]] std::vector<wire::Reply> change(const Messages& messages);

  /// One send for all, as nfnetlink wants a batch: whole messages one after the other, flags as
  /// they are. The first error that the kernel reported, at its place; success where it reported
  /// none, and what it sent back (NLM_F_ECHO) in the Reply's `bytes`.
  [[nodiscard]] wire::Reply transact(wire::Bytes messages);

  /// A dump in `bytes`. One that was interrupted, truncated or lost is made again; after a few
  /// times it is a HostError. A filter on a routing table that does not exist gives none.
  [[nodiscard]] wire::Reply dump(const wire::Bytes& request);

  /// What the kernel answers to a single question, in `bytes`.
  [[nodiscard]] wire::Reply get(const wire::Bytes& request);

 private:
  enum class Arrived : std::uint8_t { data, nothing, lost, truncated };

  void enlarge_buffers();
  /// The kernel makes the parts of a dump as large as what was received into before, 32 KiB at most
  /// (netlink_dump() in net/netlink/af_netlink.c): at a socket's first dump they have 4 KiB, and a
  /// route of some 230 next hops would end it. So nothing is asked, and its ack received.
  void show_receive_buffer();
  /// For a single send of that size, beyond net.core.wmem_max where we may.
  void make_room_for(std::size_t bytes);
  /// Behind the last message that goes out with the one at `first`.
  [[nodiscard]] std::size_t batch_end(const Messages& messages, std::size_t first) const;
  /// Puts messages [first, last) into outgoing_, each with its sequence number. Returns the first.
  std::uint32_t pack(const Messages& messages, std::size_t first, std::size_t last,
                     bool ack_only_the_last);
  [[nodiscard]] int send(std::span<const std::byte> bytes);
  /// One datagram of the kernel into incoming_; `received_` is its part that was written.
  [[nodiscard]] Arrived receive();
  void read_acks(std::uint32_t first_sequence, std::span<wire::Reply> replies, bool last_is_acked);
  /// Nothing when the answer is not whole.
  [[nodiscard]] std::optional<wire::Reply> ask(const wire::Bytes& request);
  [[nodiscard]] wire::Reply ask_until_whole(const wire::Bytes& request);

  Descriptor socket_;
  std::uint32_t port_ = 0;
  std::uint32_t sequence_ = 0;
  std::size_t most_bytes_ = 0;     ///< in one send
  std::size_t most_messages_ = 0;  ///< whose errors fit into the receive buffer
  wire::Bytes outgoing_;
  wire::Bytes incoming_;
  std::span<const std::byte> received_;
};

}  // namespace plumbline::io
