#include "plumbline/daemon/news.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::daemon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(News, TellsWhatBeginsOnceAndWhenItIsOver) {
  News news;
  EXPECT_THAT(news.update({"b", "a", "b"}).begun, ElementsAre("b", "a"));
  EXPECT_THAT(news.update({"a", "b"}).begun, IsEmpty());

  const News::Changes changes = news.update({"a", "c"});
  EXPECT_THAT(changes.begun, ElementsAre("c"));
  EXPECT_THAT(changes.over, ElementsAre("b"));
  EXPECT_THAT(news.update({}).over, ElementsAre("a", "c"));
  EXPECT_THAT(news.update({"a"}).begun, ElementsAre("a")) << "it began anew";
}

}  // namespace
}  // namespace plumbline::daemon
