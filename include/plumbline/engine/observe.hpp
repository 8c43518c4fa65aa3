// What the kernel has now, of every kind and of everybody.

#pragma once

#include "plumbline/firewall/observe/chain_scope.hpp"
#include "plumbline/io/host.hpp"
#include "plumbline/state/state.hpp"

namespace plumbline::engine {

struct Observed {
  State state;
  LinkNames links;
  /// What the host said beside its answers: rules of the other iptables, say.
  std::vector<std::string> warnings;
};

inline constexpr const char* rules_change =
    "the rules of nf_tables change faster than they can be read: what is said of them may be "
    "out of date";

/// What does not depend on what is looked for: links, what is on them, and what is asked for whole.
/// Throws io::HostError or wire::Malformed: what cannot be observed is never taken for absent.
[[nodiscard]] Observed look_around(io::Host& host);

/// The rest as well, beside what was seen `around`. Chains by way of `ruleset`: those of IP where
/// their rules have code (`nft`), else by text.
[[nodiscard]] Observed observe(io::Host& host, firewall::Ruleset& ruleset, bool nft, Scope scope,
                               const firewall::ChainScope& chains, Observed around);

}  // namespace plumbline::engine
