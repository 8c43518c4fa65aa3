// From what the spec says to what shall be in the kernel.
//
// Pure. Adds what a spec may leave out because it follows: the other end of a veth pair, the
// resources of `networks`, our mark. What the spec does not say and cannot, the Facts do.

#pragma once

#include <memory>
#include <set>

#include "plumbline/spec/assignments.hpp"
#include "plumbline/spec/load.hpp"

namespace plumbline::spec {

/// What shall be, and where the files say so.
struct Desired {
  State state;
  std::map<Key, Origin> origins;
  std::map<Key, std::vector<Origin>> rule_origins;
  /// What wanted rules lead to and is a chain, no target of iptables; found by compiling them.
  ChainNames chains;
  /// Which networks an object came from, by their bridges' names, sorted: a shared chain has rules
  /// of several, most objects are of none.
  std::map<Key, std::vector<std::string>> networks;
  /// Every guest there shall be.
  std::vector<AssignedNetwork> assigned;
  /// Of a spec with networks, so that it can be expanded anew with the facts of the moment.
  std::shared_ptr<const Spec> source;
};

/// What only the host shows to be wrong goes to `diagnostics`: with an error the result must not be
/// used.
[[nodiscard]] Desired expand(Spec spec, const Facts& facts, const Mark& mark,
                             Diagnostics& diagnostics);
/// Of a spec without networks.
[[nodiscard]] Desired expand(Spec spec, const Mark& mark);

}  // namespace plumbline::spec
