// What became of an apply, in both formats and on the right stream, without a kernel.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cerrno>
#include <set>

#include "plumbline/report/report.hpp"

namespace plumbline::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Route refused_route() {
  Route route;
  route.to = *Prefix::parse("10.1.0.0/16");
  route.type = RouteType::blackhole;
  return route;
}

engine::Prepared prepared_route() {
  engine::Prepared prepared;
  Step step;
  step.key = key(refused_route());
  step.after = refused_route();
  prepared.plan.steps = {step};
  return prepared;
}

engine::Outcome rolled_back() {
  engine::Outcome outcome;
  outcome.result = engine::Result::rolled_back;
  engine::StepReport step;
  step.result = engine::StepResult::failed;
  step.error = EPERM;
  step.message = "not on this host";
  outcome.report.steps = {step};
  outcome.warnings.push_back({Code::host_warning, "mind this", {}, {}});
  return outcome;
}

Printed outcome_in(Format format, const engine::Outcome& outcome, Style style = {}) {
  return renderer(format, style)->outcome(Operation::apply, prepared_route(), outcome);
}

TEST(Outcome, OfAFailureIsOneDocumentForProgramsAndWordsOnStandardErrorForPeople) {
  const Printed text = outcome_in(Format::text, rolled_back());
  EXPECT_EQ(text.out, "");
  EXPECT_EQ(text.err,
            "warning: HOST_WARNING: mind this\n"
            "failed: route inet main 10.1.0.0/16: not on this host\n"
            "Rolled back: 0 steps undone. The host is as it was before.\n");

  const Printed json = outcome_in(Format::json, rolled_back());
  EXPECT_EQ(json.err, "warning: HOST_WARNING: mind this\n");
  const boost::json::value document = boost::json::parse(json.out);
  EXPECT_EQ(document.at("result"), "rolled-back");
  EXPECT_EQ(document.at("steps").at(0).at("action"), "create");
  EXPECT_EQ(document.at("steps").at(0).at("error").at("errno"), EPERM);
}

TEST(Outcome, OfASuccessIsAResult) {
  engine::Outcome outcome;
  outcome.result = engine::Result::applied;
  const Printed text = outcome_in(Format::text, outcome);
  EXPECT_EQ(text.out, "Applied. The host matches the spec.\n");
  EXPECT_EQ(text.err, "");
  outcome.unsettled = {"link x0"};
  EXPECT_EQ(outcome_in(Format::text, outcome).out, "") << "no success, so nothing that looks so";
}

TEST(Outcome, QuietIsWithoutWarningsInEveryFormat) {
  for (const Format format : {Format::text, Format::json}) {
    EXPECT_THAT(outcome_in(format, rolled_back(), {false, false}).err, Not(HasSubstr("mind this")));
  }
}

TEST(Outcome, ShowsNoKeyThatAKernelQuotesNorBytesThatAreNoUtf8) {
  engine::Outcome outcome = rolled_back();
  const std::string secret = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
  outcome.report.steps[0].message = "no \xff " + secret;
  for (const Format format : {Format::text, Format::json}) {
    const Printed printed = outcome_in(format, outcome);
    EXPECT_THAT(printed.out + printed.err, Not(HasSubstr(secret)));
    EXPECT_THAT(printed.out + printed.err, HasSubstr("\\xff"));
  }
}

TEST(Formats, EachHasANameAndARendererOfItsOwn) {
  std::set<std::string> plans;
  for (const std::string_view name : format_names()) {
    const auto format = parse_format(name);
    ASSERT_TRUE(format) << name;
    EXPECT_TRUE(plans.insert(renderer(*format, {})->plan({}).out).second) << name;
  }
  EXPECT_EQ(parse_format("json"), Format::json);
  EXPECT_EQ(parse_format("markdown"), std::nullopt);
}

}  // namespace
}  // namespace plumbline::report
