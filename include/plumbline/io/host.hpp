// The one door to the kernel.
//
// Moves bytes; knows no kind. Requests are carried out in the order given, on the calling thread,
// and every one is answered. An error in one does not stop those behind it: who batches requests
// must be ready to undo what came after.

#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/wire/request.hpp"

namespace plumbline::io {

/// Observing or changing is not possible at all: no socket, an endless interrupted dump, a program
/// that is not installed. Never used for a request that the kernel refused.
struct HostError : std::runtime_error {
  explicit HostError(const std::string& what, int why = 0) : std::runtime_error(what), error(why) {}

  int error;  ///< an errno, or 0
};

/// Whether the errno says only that the machine has too little of something at the moment: nothing
/// follows from it about what was asked for, least of all that it is not there.
[[nodiscard]] bool is_shortage(int error);
/// The same of what a program has said, in the words of the C locale.
[[nodiscard]] bool tells_of_shortage(std::string_view said);

class Host {
 public:
  virtual ~Host() = default;

  /// One reply per request, in order. Consecutive NetlinkChanges go out in as few system calls as
  /// the socket takes. Throws HostError.
  [[nodiscard]] virtual std::vector<wire::Reply> exchange(
      std::span<const wire::Request> requests) = 0;

  /// The port (man 7 netlink) that its changes of nf_tables are sent from, which the kernel tells
  /// all who listen. 0 as long as it has made none.
  [[nodiscard]] virtual std::uint32_t nf_tables_port() const { return 0; }
};

}  // namespace plumbline::io
