// What differs between what is and what should be, object by object, and what stands in the way.
//
// Knows nothing of order or of what one change does to another object.

#pragma once

#include "draft.hpp"
#include "plumbline/memory/goals.hpp"

namespace plumbline::plan {

struct Difference {
  Drafts drafts;
  std::vector<Blocked> blocked;
  std::vector<Diagnostic> warnings;
  std::vector<Diagnostic> refusals;
};

struct Situation {
  const State& have;
  const State& want;
  const memory::Memory& memory;
  const std::map<Key, Origin>& origins;
  const Options& options;
  const memory::Goals goals = memory::Goals(memory, want);

  [[nodiscard]] Origin origin(const Key& key) const {
    const auto found = origins.find(key);
    return found == origins.end() ? Origin{} : found->second;
  }
};

[[nodiscard]] Difference difference(const Situation& situation);

/// Why a wanted object is changed, told by what was applied last. `exists`: something of that key
/// is there.
[[nodiscard]] Why reason(const Situation& situation, const Resource& asked, bool exists);

}  // namespace plumbline::plan
