#include "src/daemon/conditions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::daemon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Conditions, TellsWhatBeginsOnceAndWhenItIsOver) {
  Conditions conditions;
  EXPECT_THAT(conditions.update({"b", "a", "b"}).begun, ElementsAre("b", "a"));
  EXPECT_THAT(conditions.update({"a", "b"}).begun, IsEmpty());

  const Conditions::Changes changes = conditions.update({"a", "c"});
  EXPECT_THAT(changes.begun, ElementsAre("c"));
  EXPECT_THAT(changes.over, ElementsAre("b"));
  EXPECT_THAT(conditions.update({}).over, ElementsAre("a", "c"));
  EXPECT_THAT(conditions.update({"a"}).begun, ElementsAre("a")) << "it began anew";
}

}  // namespace
}  // namespace plumbline::daemon
