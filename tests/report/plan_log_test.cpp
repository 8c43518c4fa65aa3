#include "plumbline/report/plan_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::report {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Route blackhole(const char* to) {
  Route route;
  route.to = *Prefix::parse(to);
  route.type = RouteType::blackhole;
  return route;
}

Plan a_plan() {
  Plan plan;
  Step repaired;
  repaired.key = key(blackhole("10.1.0.0/16"));
  repaired.after = blackhole("10.1.0.0/16");
  repaired.why = Why::drifted;
  Step removed;
  removed.id = 1;
  removed.key = key(blackhole("10.2.0.0/16"));
  removed.before = blackhole("10.2.0.0/16");
  removed.action = Action::remove;
  removed.why = Why::unwanted;
  plan.steps = {repaired, removed};
  plan.blocked.push_back({key(blackhole("10.3.0.0/16")), {"link eth9", "link eth8 up"}, {}});
  plan.warnings.push_back({Code::foreign_equal, "equal", {}, {}});
  return plan;
}

TEST(PlanLog, TellsEachStepAsThePlanShowsItAndNothingElse) {
  EXPECT_THAT(
      done_lines(a_plan()),
      ElementsAre(AllOf(StartsWith("+ route inet main 10.1.0.0/16"), HasSubstr("drifted")),
                  AllOf(StartsWith("- route inet main 10.2.0.0/16"), HasSubstr("unwanted"))));
}

TEST(PlanLog, OfAPlanWithoutStepsItSaysWhatKeepsItFromAny) {
  EXPECT_THAT(done_lines(Plan()), ElementsAre("No changes. The host matches the spec."));
  Plan plan = a_plan();
  plan.steps.clear();
  EXPECT_THAT(done_lines(plan), ElementsAre("No changes can be made now."));
  plan.warnings.push_back({Code::not_in_force, "never reached", {}, {}});
  EXPECT_THAT(done_lines(plan), ElementsAre("No changes, but not all rules are in force."));
}

TEST(PlanLog, RulesStandBelowTheirChain) {
  Step step;
  const Chain before{Family::inet, "filter", "OURS", {"-i a -j DROP"}, true};
  const Chain after{Family::inet, "filter", "OURS", {"-i b -j DROP"}, true};
  step.key = key(after);
  step.before = before;
  step.after = after;
  step.action = Action::update;
  step.why = Why::changed;
  Plan plan;
  plan.steps = {step};
  EXPECT_THAT(done_lines(plan), ElementsAre("~ chain inet filter OURS  (changed)",
                                            "      - -i a -j DROP", "      + -i b -j DROP"));
}

TEST(PlanLog, OfAFailureItNamesTheStepAndWhatIsNotBack) {
  engine::Report report;
  report.steps.resize(2);
  report.steps[0].result = engine::StepResult::failed;
  report.steps[0].error = EPERM;
  EXPECT_THAT(failure_lines(a_plan(), report),
              ElementsAre("failed: route inet main 10.1.0.0/16: Operation not permitted",
                          "a step failed and the pass was undone; trying again later"));
  report.left_behind = {"link x0"};
  EXPECT_THAT(failure_lines(a_plan(), report),
              ElementsAre(StartsWith("failed: "), "not as it was before the failure: link x0"));
}

TEST(PlanLog, CountsWhatWasDone) {
  EXPECT_EQ(done_summary(a_plan()), "1 created, 1 removed");
  EXPECT_EQ(done_summary(Plan()), "");
}

TEST(PlanLog, TellsWhatTheBlockedWaitFor) {
  EXPECT_THAT(
      blocked_lines(a_plan()),
      ElementsAre("blocked: route inet main 10.3.0.0/16 waits for link eth9, link eth8 up"));
}

}  // namespace
}  // namespace plumbline::report
