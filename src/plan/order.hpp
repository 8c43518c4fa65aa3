// The order of the steps: what must come first comes first, and otherwise what keeps traffic going.
//
// Edges are real needs only. Ranks say what to prefer among the steps that are ready: guards, then
// making, then breaking, then the release of guards.

#pragma once

#include <vector>

#include "draft.hpp"
#include "providers.hpp"

namespace plumbline::plan {

/// One step to be, with the nodes that come before it.
struct Node {
  const Key* key = nullptr;
  const Draft* draft = nullptr;
  Side side = Side::up;
  Action action = Action::create;
  const Resource* before = nullptr;
  const Resource* after = nullptr;
  Phase phase = Phase::main;
  unsigned rank = 0;
  std::vector<std::size_t> needs = {};

  [[nodiscard]] End end() const { return {*key, side}; }
};

/// What is needed to order drafts.
struct Surroundings {
  const Providers& before;  ///< who provides what now; steady: will go on to
  const Providers& after;   ///< who provides what in the end
  const ChainNames& chains;
  const Constraints& constraints;
};

struct Order {
  std::vector<Node> nodes;  ///< in the order of execution; `needs` are positions in it
  /// A change in place that would have to come both before and after another: it must be taken
  /// down and put back instead. `nodes` is then empty.
  std::optional<Key> must_split = {};
};

[[nodiscard]] Order order(const Drafts& drafts, const Surroundings& surroundings);

}  // namespace plumbline::plan
