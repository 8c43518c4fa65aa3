#include "plan_objects.hpp"

#include <utility>

namespace plumbline::report {

namespace {

Change change_of(const Step& first, const Step& last) {
  if (!first.before) return Change::create;
  if (!last.after) return Change::remove;
  // By way of nothing at all; a port that leaves its bridge and joins it again is only updated.
  return first.action == Action::remove ? Change::replace : Change::update;
}

}  // namespace

std::vector<Object> objects(const Plan& plan) {
  std::map<std::size_t, std::pair<const Step*, const Step*>> steps;
  for (const Step& step : plan.steps) {
    const auto [found, added] = steps.try_emplace(step.id, &step, &step);
    if (!added) found->second.second = &step;
  }
  std::vector<Object> objects;
  for (const Step& step : plan.steps) {
    const auto& [first, last] = steps.at(step.id);
    if (&step == last) objects.push_back({first, last, change_of(*first, *last)});
  }
  return objects;
}

std::string_view format(Change change) {
  switch (change) {
    case Change::create:
      return "create";
    case Change::update:
      return "update";
    case Change::replace:
      return "replace";
    case Change::remove:
      return "delete";
  }
  return "unknown";
}

Summary summary(const Plan& plan) {
  Summary counts;
  for (const Object& object : objects(plan)) {
    switch (object.change) {
      case Change::create:
        ++counts.create;
        break;
      case Change::update:
        ++counts.update;
        break;
      case Change::replace:
        ++counts.replace;
        break;
      case Change::remove:
        ++counts.remove;
        break;
    }
  }
  counts.blocked = plan.blocked.size();
  return counts;
}

std::map<std::size_t, Change> changes_by_id(const Plan& plan) {
  std::map<std::size_t, Change> changes;
  for (const Object& object : objects(plan)) changes.emplace(object.last->id, object.change);
  return changes;
}

}  // namespace plumbline::report
