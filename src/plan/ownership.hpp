// Whose an object is: the one place that decides it.
//
// An object is ours by its mark in the kernel. What cannot carry one (sysctls, policies, settings
// of physical links) is known by the ledger's Memory.

#pragma once

#include "plumbline/plan/plan.hpp"

namespace plumbline::plan {

/// Whether an observed object is ours. `wanted`: the spec names it, which makes some ours.
template <class K>
[[nodiscard]] bool is_ours(const K& have, const Mark& mark, [[maybe_unused]] bool wanted) {
  if constexpr (requires { is_ours_when_wanted(have); }) {
    return is_marked(have, mark) || (wanted && is_ours_when_wanted(have));
  } else {
    return is_marked(have, mark);
  }
}

/// Whether it stays whoever's it is, and only its values are a spec's.
template <class K>
[[nodiscard]] constexpr bool only_set(const K& value) {
  if constexpr (requires { is_only_set(value); }) {
    return is_only_set(value);
  } else {
    return false;
  }
}

/// Whether a foreign object says what the spec wants in every field that the spec manages.
template <class K>
[[nodiscard]] bool is_equal(const K& foreign, const K& want, const Mark& mark) {
  const K marked = with_mark(foreign, mark);
  return complete(want, marked) == marked;
}

}  // namespace plumbline::plan
