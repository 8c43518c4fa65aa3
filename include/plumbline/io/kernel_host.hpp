// The Host that is the kernel: the calling thread's network namespace.

#pragma once

#include <optional>

#include "plumbline/io/backend.hpp"
#include "plumbline/io/host.hpp"
#include "plumbline/io/iptables.hpp"
#include "plumbline/io/netlink_socket.hpp"

namespace plumbline::io {

class KernelHost final : public Host {
 public:
  /// Binds to the network namespace that the calling thread is in; it must still be in it whenever
  /// exchange() is called. Throws HostError.
  explicit KernelHost(Backend backend = Backend::automatic);

  [[nodiscard]] std::vector<wire::Reply> exchange(std::span<const wire::Request> requests) override;
  [[nodiscard]] std::uint32_t nf_tables_port() const override {
    return nfnetlink_ ? nfnetlink_->port() : 0;
  }
  /// Of iptables; never `automatic`. Throws HostError when none is installed.
  [[nodiscard]] Backend backend() { return iptables_.backend(); }

 private:
  [[nodiscard]] wire::Reply carry_out(const wire::Request& request);
  [[nodiscard]] NetlinkSocket& nfnetlink();
  [[nodiscard]] NetlinkSocket& generic();

  NetlinkSocket rtnetlink_;
  std::optional<NetlinkSocket> nfnetlink_;  ///< once needed, as it may load a kernel module
  std::optional<NetlinkSocket> generic_;
  Iptables iptables_;
};

}  // namespace plumbline::io
