// What an adoption came to, and the marking of addresses that the kernel does not do in place.

#include "plumbline/kernel/readdressing.hpp"

#include <algorithm>

#include "plumbline/plan/adoption.hpp"

namespace plumbline::plan {

namespace {

/// Whether `now` has what the step was to lead to, and no longer what it started from.
template <class K>
bool came_true(const State& now, const Step& step, const K& /*kind*/) {
  const auto is_there = [&](const std::optional<Resource>& value) {
    if (!value) return false;
    const K& wanted = std::get<K>(*value);
    return std::ranges::any_of(now.of<K>(), [&](const K& have) {
      return key(have) == key(wanted) && complete(wanted, have) == have;
    });
  };
  return !is_there(step.before) && (!step.after || is_there(step.after));
}

}  // namespace

std::vector<std::size_t> not_adopted(const State& now, const Plan& plan) {
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    const bool good =
        std::visit([&](const auto& value) { return came_true(now, step, value); }, *step.before);
    if (!good) positions.push_back(i);
  }
  return positions;
}

Plan make_readdressing(const State& now, const Plan& plan, const std::vector<std::size_t>& steps) {
  Plan result;
  for (const std::size_t position : steps) {
    const Step& step = plan.steps.at(position);
    if (!step.after) continue;
    auto way = kernel::readdressing(now, *step.before, *step.after);
    if (!way) continue;
    if (way->taken_along) {
      result.refusals.push_back({Code::not_adoptable,
                                 "this kernel marks no IPv4 address in place, and removing " +
                                     format(step.key) + " would take " + format(*way->taken_along) +
                                     " along",
                                 {},
                                 {}});
      continue;
    }
    for (Step& part : way->steps) {
      part.id = result.steps.size();
      part.why = Why::adopted;
      part.cause = step.key;
      if (!result.steps.empty()) part.needs = {result.steps.size() - 1};
      result.steps.push_back(std::move(part));
    }
  }
  return result;
}

}  // namespace plumbline::plan
