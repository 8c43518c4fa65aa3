// Hints that the network of a namespace has changed.
//
// What changed is not read: an event may be lost, and some changes send none (IPv4 routes that go
// with their link, legacy iptables), so every decision is made from an observation.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "plumbline/io/descriptor.hpp"

namespace plumbline::io {

/// Where hints come from: the kernel, or whoever stands in for it.
class Events {
 public:
  /// Who committed a change to nf_tables.
  struct Writer {
    std::uint32_t port = 0;    ///< of its socket (man 7 netlink), in our network namespace
    std::uint32_t thread = 0;  ///< its id in the first PID namespace, which need not be ours
    std::string name;          ///< at most 15 bytes, and of any bytes

    bool operator==(const Writer&) const = default;
  };
  struct Drained {
    std::size_t count = 0;        ///< messages read
    bool lost = false;            ///< the kernel had to drop some
    std::vector<Writer> writers;  ///< each once
  };

  Events() = default;
  virtual ~Events() = default;
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  /// Readable when there is something to drain; non-blocking.
  [[nodiscard]] virtual int fd() const = 0;
  /// Reads all there is. Throws HostError when it cannot be read any more.
  [[nodiscard]] virtual Drained drain() = 0;
  /// False where nothing is heard of nf_tables.
  [[nodiscard]] virtual bool hears_nf_tables() const = 0;
};

class KernelEvents final : public Events {
 public:
  /// Subscribes to links, addresses, routes, rules, the per-interface settings and nf_tables of the
  /// calling thread's namespace: before the first observation, so that nothing falls between.
  /// Throws HostError.
  KernelEvents();

  [[nodiscard]] int fd() const override { return both_.get(); }
  /// Throws HostError when a socket is broken.
  [[nodiscard]] Drained drain() override;
  /// False where the kernel has no nf_tables, or does not let us hear of it.
  [[nodiscard]] bool hears_nf_tables() const override { return static_cast<bool>(nf_tables_); }

 private:
  Descriptor routing_;
  Descriptor nf_tables_;  ///< one message per commit, however large
  Descriptor both_;       ///< epoll(7): one descriptor to wait for
};

}  // namespace plumbline::io
