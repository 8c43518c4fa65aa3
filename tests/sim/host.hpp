// The Host that is a simulated kernel: whatever works on io::Host works in memory, as anybody.
//
// Answered EOPNOTSUPP are the other network namespaces (NamespaceChange), generic netlink, changes
// by nfnetlink that are no transaction, and what the iptables programs do (FirewallDump,
// FirewallRestore): rules of IP are on nf_tables here.

#pragma once

#include "plumbline/io/host.hpp"
#include "tests/sim/kernel.hpp"

namespace plumbline::sim {

class Host final : public io::Host {
 public:
  explicit Host(Kernel& kernel) : kernel_(&kernel) {}

  [[nodiscard]] std::vector<wire::Reply> exchange(std::span<const wire::Request> requests) override;

 private:
  Kernel* kernel_;
};

}  // namespace plumbline::sim
