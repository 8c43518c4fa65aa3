// The ordered list of changes that turns what is into what should be.
//
// This layer is pure: it reads no clock, opens no socket and logs nothing. Every ordering decision
// is made here, and so is every decision about whose an object is.

#pragma once

#include <map>
#include <string>

#include "plumbline/memory/memory.hpp"
#include "plumbline/state/step.hpp"

namespace plumbline::plan {

struct Options {
  Mark mark;
  bool take_foreign = false;  ///< links may be removed along with what foreigners put on them
  bool allow_empty = false;   ///< everything of ours may be removed
  /// Names that rules jump to and that are those of chains, though none may be there.
  ChainNames chains = {};
};

/// Plans the way from `have`, everything observed and everybody's, to `want`.
///
/// Guarantees: make_plan(s, s) has no step; predict(have, plan) holds `want` less what is blocked;
/// no step stands before one it needs; equal inputs in any order give equal plans; no step touches
/// what is not ours, but for what `take_foreign` allows.
[[nodiscard]] Plan make_plan(const State& have, const State& want, const memory::Memory& memory,
                             const std::map<Key, Origin>& origins, const Options& options);

}  // namespace plumbline::plan
