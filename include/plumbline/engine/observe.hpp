// What the kernel has now, of every kind and of everybody.

#pragma once

#include "plumbline/io/host.hpp"
#include "plumbline/kinds/kinds.hpp"

namespace plumbline::engine {

struct Observed {
  State state;
  LinkNames links;
  /// What the host said beside its answers: rules of the other iptables, say.
  std::vector<std::string> warnings;
};

/// Throws io::HostError or wire::Malformed: what cannot be observed is never taken for absent.
[[nodiscard]] Observed observe(io::Host& host, const Scope& scope);

}  // namespace plumbline::engine
