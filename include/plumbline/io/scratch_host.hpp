// A Host for a firewall alone, in an offline network namespace of nobody's.
//
// For firewall::IptablesCompiler: what the installed iptables makes of rules is found out where no
// packet and no other program meets them.

#pragma once

#include <optional>
#include <string>

#include "plumbline/io/backend.hpp"
#include "plumbline/io/host.hpp"
#include "plumbline/io/iptables.hpp"
#include "plumbline/io/netlink_socket.hpp"

namespace plumbline::io {

class ScratchHost final : public Host {
 public:
  /// Makes the namespace; it goes with the object. Throws HostError.
  explicit ScratchHost(Backend backend);

  /// Firewall requests act on the scratch namespace; all others are answered EOPNOTSUPP.
  [[nodiscard]] std::vector<wire::Reply> exchange(std::span<const wire::Request> requests) override;

  [[nodiscard]] Backend backend() { return iptables_.backend(); }
  /// Changes when the same text may come to mean something else: another iptables, or other names
  /// of services, protocols, users, groups, realms and the like.
  [[nodiscard]] std::string circumstances() const;
  /// Takes away every table of both families: each compilation starts from nothing.
  void reset();

 private:
  [[nodiscard]] NetlinkSocket& nfnetlink();

  NetworkNamespace namespace_;
  Iptables iptables_;
  std::optional<NetlinkSocket> nfnetlink_;
};

}  // namespace plumbline::io
