#include <boost/json.hpp>
#include <set>

#include "json.hpp"
#include "plan_objects.hpp"

namespace plumbline::report {

namespace {

namespace json = boost::json;

/// What cannot be shown as it is has to be escaped even here: JSON is UTF-8.
json::string text(std::string_view value) {
  return json::string(is_utf8(value) ? std::string(value) : printable(value));
}

json::value value_of(const std::optional<Resource>& resource) {
  return resource ? to_spec(*resource) : json::value();
}

json::array needs_of(const Plan& plan, const Object& object) {
  std::set<std::size_t> ids;
  for (const Step* step : {object.first, object.last}) {
    for (const std::size_t position : step->needs) {
      const std::size_t id = plan.steps.at(position).id;
      if (id != step->id) ids.insert(id);
    }
  }
  json::array needs;
  for (const std::size_t id : ids) needs.emplace_back(id);
  return needs;
}

json::object object_of(const Plan& plan, const Object& object) {
  const Step& step = *object.last;
  json::object shown{{"id", step.id},
                     {"action", format(object.change)},
                     {"kind", kind_name(step.key)},
                     {"key", text(format(step.key))},
                     {"why", format(step.why)}};
  if (step.cause) shown["cause"] = text(format(*step.cause));
  if (step.origin.known()) shown["origin"] = text(format(step.origin));
  if (!step.networks.empty()) {
    json::array networks;
    for (const std::string& network : step.networks) networks.emplace_back(text(network));
    shown["networks"] = std::move(networks);
  }
  shown["disrupts"] = format(object.disrupts());
  shown["before"] = value_of(object.before());
  shown["after"] = value_of(object.after());
  shown["needs"] = needs_of(plan, object);
  return shown;
}

json::array list(const std::vector<Blocked>& blocked) {
  json::array shown;
  for (const Blocked& object : blocked) {
    json::array waits_for;
    for (const std::string& need : object.waits_for) waits_for.emplace_back(text(need));
    json::object entry{{"key", text(format(object.key))}, {"waits_for", std::move(waits_for)}};
    if (object.origin.known()) entry["origin"] = text(format(object.origin));
    shown.emplace_back(std::move(entry));
  }
  return shown;
}

json::array list(const std::vector<Diagnostic>& diagnostics) {
  json::array shown;
  for (const Diagnostic& diagnostic : diagnostics) {
    json::object entry{{"code", format(diagnostic.code)}, {"message", text(diagnostic.message)}};
    if (diagnostic.origin.known()) entry["origin"] = text(format(diagnostic.origin));
    shown.emplace_back(std::move(entry));
  }
  return shown;
}

}  // namespace

json::object to_json(const Plan& plan) {
  const Summary counts = summary(plan);
  json::array steps;
  for (const Object& object : objects(plan)) steps.emplace_back(object_of(plan, object));
  json::object document{{"version", 1},
                        {"summary",
                         {{"create", counts.create},
                          {"update", counts.update},
                          {"replace", counts.replace},
                          {"delete", counts.remove},
                          {"blocked", counts.blocked}}},
                        {"steps", std::move(steps)},
                        {"blocked", list(plan.blocked)},
                        {"warnings", list(plan.warnings)}};
  if (!plan.refusals.empty()) document["errors"] = list(plan.refusals);
  return document;
}

}  // namespace plumbline::report
