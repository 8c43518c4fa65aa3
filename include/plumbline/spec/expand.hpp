// From what the spec says to what shall be in the kernel.
//
// Pure. Adds what a spec may leave out because it follows: the other end of a veth pair, our mark.
// The expansion of `networks` into resources will be here.

#pragma once

#include "plumbline/spec/load.hpp"

namespace plumbline::spec {

/// What shall be, and where the files say so.
struct Desired {
  State state;
  std::map<Key, Origin> origins;
  std::map<Key, std::vector<Origin>> rule_origins;
};

[[nodiscard]] Desired expand(Spec spec, const Mark& mark);

}  // namespace plumbline::spec
