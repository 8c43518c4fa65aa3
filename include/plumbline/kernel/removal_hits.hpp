// Which object the kernel may remove instead of the one that it is asked to remove.
//
// It removes the first that matches what the request says, and the request does not say all:
// removal_may_hit() in kinds/rule.hpp.

#pragma once

#include <map>
#include <set>
#include <vector>

#include "plumbline/state/state.hpp"

namespace plumbline::kernel {

/// Policy rules of ours of one priority, those that are there and those that are wanted.
class RulesOfOnePriority {
 public:
  struct ByKey {
    bool operator()(const Rule* a, const Rule* b) const { return *a < *b; }
  };
  using Rules = std::set<const Rule*, ByKey>;

  explicit RulesOfOnePriority(Rules rules) : rules_(std::move(rules)) {}

  [[nodiscard]] const Rules& all() const { return rules_; }
  /// Those that the removal of one may hit, itself among them: as many walks over all of them as
  /// there are combinations of conditions.
  [[nodiscard]] const std::vector<const Rule*>& hit_by(const Rule& removed);

 private:
  Rules rules_;
  std::map<std::uint32_t, std::map<Rule, std::vector<const Rule*>>> by_conditions_;
};

/// Where some are there and some are wanted, so that one may go while others come. Pointers are
/// into the two states.
[[nodiscard]] std::vector<RulesOfOnePriority> rules_that_mix(const State& have, const State& want,
                                                             const Mark& mark);

}  // namespace plumbline::kernel
