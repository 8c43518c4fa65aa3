#include "src/daemon/story.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::daemon {
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

TEST(Story, TellsEachStepAsThePlanShowsItAndNothingElse) {
  EXPECT_THAT(
      tell_steps(a_plan()),
      ElementsAre(AllOf(StartsWith("+ route inet main 10.1.0.0/16"), HasSubstr("drifted")),
                  AllOf(StartsWith("- route inet main 10.2.0.0/16"), HasSubstr("unwanted"))));
}

TEST(Story, CountsWhatWasDone) {
  EXPECT_EQ(tell_summary(a_plan()), "1 created, 1 removed");
  EXPECT_EQ(tell_summary(Plan()), "");
}

TEST(Story, TellsWhatTheBlockedWaitFor) {
  EXPECT_THAT(
      tell_blocked(a_plan()),
      ElementsAre("blocked: route inet main 10.3.0.0/16 waits for link eth9, link eth8 up"));
}

}  // namespace
}  // namespace plumbline::daemon
