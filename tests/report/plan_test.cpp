// A plan as it is shown: what tests/golden/plan cannot, which has whole texts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "src/report/json.hpp"
#include "src/report/plan_objects.hpp"
#include "src/report/text.hpp"
#include "tests/support/arbitrary.hpp"

namespace plumbline::report {
namespace {

Link a_link(LinkKind kind) {
  Link link;
  link.name = *IfName::parse("x0");
  link.kind = kind;
  link.up = true;
  link.alias = "";
  return link;
}

State with_address(const Link& link) {
  Address address;
  address.link = link.name;
  address.local = *InterfaceAddress::parse("10.1.0.1/24");
  State state;
  state.of<Link>() = {link};
  state.of<Address>() = {address};
  return testing::marked(std::move(state));
}

Plan replacement() {
  return plan::make_plan(with_address(a_link(LinkKind::bridge)),
                         with_address(a_link(LinkKind::tap)), {}, {}, {});
}

TEST(PlanObjects, AReplacementIsOneToTheReader) {
  const Plan plan = replacement();
  ASSERT_EQ(plan.steps.size(), 4U);
  EXPECT_EQ(summary(plan), (Summary{0, 0, 2, 0, 0}));
  for (const auto& [id, change] : changes_by_id(plan)) EXPECT_EQ(format(change), "replace") << id;
}

TEST(PlanJson, ShowsAReplacementOnceWithTheNeedsOfBothSteps) {
  const boost::json::value json = to_json(replacement());
  EXPECT_EQ(json.at("summary").at("replace").to_number<int>(), 2);
  const auto& steps = json.at("steps").as_array();
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].at("key"), "link x0");
  EXPECT_EQ(steps[0].at("action"), "replace");
  EXPECT_EQ(steps[0].at("disrupts"), "traffic");
  EXPECT_EQ(steps[1].at("why"), "cascade");
  EXPECT_EQ(steps[1].at("needs"), (boost::json::array{steps[0].at("id")}));
}

TEST(PlanText, EscapesWhatComesFromOutside) {
  Link link = a_link(LinkKind::bridge);
  link.alias = "\033[31mred";
  const Plan plan = plan::make_plan({}, with_address(link), {}, {}, {});
  EXPECT_EQ(to_text(plan, false).find('\033'), std::string::npos);
}

TEST(PlanText, OnlyTheSignsAreColoured) {
  using ::testing::StartsWith;
  EXPECT_THAT(to_text(replacement(), true), StartsWith("\033[35m-/+ \033[0mlink x0: "));
}

}  // namespace
}  // namespace plumbline::report
