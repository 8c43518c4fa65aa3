// What of an observed state a spec can say, and in words what it cannot: for `show`.
//
// What the kernel makes by itself is in no spec either, as it comes back without one.

#pragma once

#include <string>
#include <vector>

#include "plumbline/state/state.hpp"

namespace plumbline::spec {

struct LeftOut {
  std::string what;  ///< a key, or several objects in words
  std::string why;
};

struct Expressible {
  State state;
  std::vector<LeftOut> left_out;
};

/// A link whose kind no spec can say stays as a `physical` one: it can be configured, not made.
/// The secret keys of a tunnel are told as left out, though to_spec() has fingerprints for them.
/// `everybodys`: `have` is more than the part that is ours, so rules of others are told of.
[[nodiscard]] Expressible expressible_part(State have, bool everybodys);

}  // namespace plumbline::spec
