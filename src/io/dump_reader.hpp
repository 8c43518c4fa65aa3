// Puts the parts of a netlink dump together, and notices when it is not whole.

#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "plumbline/wire/netlink.hpp"
#include "plumbline/wire/request.hpp"

namespace plumbline::io {

class DumpReader {
 public:
  /// For the answers to the request of that sequence number; others are passed over.
  explicit DumpReader(std::uint32_t sequence) : sequence_(sequence) {}

  /// One datagram. Throws wire::Malformed.
  void read(std::span<const std::byte> datagram);
  /// A datagram did not arrive, or not as a whole.
  void miss() { whole_ = false; }

  /// Whether the last part was read. An answer that is no dump is its own last part.
  [[nodiscard]] bool finished() const { return finished_; }
  /// Whether all parts are of one state of the kernel.
  [[nodiscard]] bool whole() const { return whole_; }
  [[nodiscard]] wire::Reply take() && { return std::move(reply_); }

 private:
  void read_message(const wire::Message& message, std::span<const std::byte> bytes);
  void read_end(const wire::Message& message);

  std::uint32_t sequence_;
  wire::Reply reply_;
  bool whole_ = true;
  bool finished_ = false;
};

}  // namespace plumbline::io
