// Hints that the network of a namespace has changed.
//
// What changed is not read: an event may be lost, and some changes send none (IPv4 routes that go
// with their link), so every decision is made from an observation.

#pragma once

#include <cstddef>

#include "plumbline/io/descriptor.hpp"

namespace plumbline::io {

class KernelEvents {
 public:
  struct Drained {
    std::size_t count = 0;  ///< messages read
    bool lost = false;      ///< the kernel had to drop some
  };

  /// Subscribes to links, addresses, routes, rules and the per-interface settings of the calling
  /// thread's namespace: before the first observation, so that nothing falls between. Throws
  /// HostError.
  KernelEvents();

  /// Readable when there is something to drain; non-blocking.
  [[nodiscard]] int fd() const { return socket_.get(); }
  /// Reads all there is. Throws HostError when the socket is broken.
  [[nodiscard]] Drained drain();

 private:
  Descriptor socket_;
};

}  // namespace plumbline::io
