#include "shown.hpp"

#include <map>

#include "plumbline/plan/render.hpp"

namespace plumbline {

namespace {

Shown shown(const Step& first, const Step& last) {
  if (!first.before) return Shown::create;
  if (!last.after) return Shown::remove;
  // By way of nothing at all; a port that leaves its bridge and joins it again is only updated.
  return first.action == Action::remove ? Shown::replace : Shown::update;
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
    if (&step == last) objects.push_back({first, last, shown(*first, *last)});
  }
  return objects;
}

std::string_view format(Shown shown) {
  switch (shown) {
    case Shown::create:
      return "create";
    case Shown::update:
      return "update";
    case Shown::replace:
      return "replace";
    case Shown::remove:
      return "delete";
  }
  return "unknown";
}

Summary summary(const Plan& plan) {
  Summary counts;
  for (const Object& object : objects(plan)) {
    switch (object.shown) {
      case Shown::create:
        ++counts.create;
        break;
      case Shown::update:
        ++counts.update;
        break;
      case Shown::replace:
        ++counts.replace;
        break;
      case Shown::remove:
        ++counts.remove;
        break;
    }
  }
  counts.blocked = plan.blocked.size();
  return counts;
}

std::map<std::size_t, std::string_view> shown_actions(const Plan& plan) {
  std::map<std::size_t, std::string_view> actions;
  for (const Object& object : objects(plan)) actions[object.last->id] = format(object.shown);
  return actions;
}

}  // namespace plumbline
