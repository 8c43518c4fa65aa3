#include <boost/json.hpp>

#include "json.hpp"
#include "outcome_steps.hpp"
#include "plan_objects.hpp"
#include "plumbline/spec/assignments.hpp"

namespace plumbline::report {

namespace json = boost::json;

namespace {

/// What guests have now: nothing that an apply which came to nothing would have given them.
json::array assignments(const engine::Prepared& prepared, const engine::Outcome& outcome) {
  const bool done =
      outcome.result == engine::Result::applied || outcome.result == engine::Result::unchanged;
  return done ? to_json(spec::assignments_of(prepared.desired.assigned)) : json::array();
}

json::array steps_of(const Plan& plan, const engine::Report& report) {
  json::array steps;
  const auto changes = changes_by_id(plan);
  for (const DoneStep& done : done_steps(plan, report)) {
    json::object step{{"id", done.step->id},
                      {"key", format(done.step->key)},
                      {"action", format(changes.at(done.step->id))},
                      {"result", engine::format(done.report.result)}};
    if (done.report.error != 0) {
      json::object error{{"message", done.report.message}, {"errno", done.report.error}};
      if (done.report.busy) error["code"] = engine::busy_code;
      step["error"] = std::move(error);
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace

json::object to_json(const engine::Prepared& prepared, const engine::Outcome& outcome) {
  json::object document{{"result", engine::format(outcome.result)},
                        {"steps", steps_of(prepared.plan, outcome.report)},
                        {"assignments", assignments(prepared, outcome)}};
  const auto add = [&](std::string_view name, const std::vector<std::string>& list) {
    if (!list.empty()) document[name] = json::array(list.begin(), list.end());
  };
  const auto add_places = [&](std::string_view name, const std::vector<Diagnostic>& list) {
    if (!list.empty()) document[name] = to_json(list);
  };
  add("left_behind", outcome.report.left_behind);
  add("settled", outcome.settled);
  add("unsettled", outcome.unsettled);
  add_places("not_in_force", outcome.not_in_force);
  add("not_put_back", outcome.not_put_back);
  add_places("warnings", outcome.warnings);
  return document;
}

}  // namespace plumbline::report
