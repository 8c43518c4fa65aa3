// A change from its files to its end, and what its audience gets to see of it on the way.

#include "plumbline/engine/change.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "tests/support/memory_files.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Notes what it is told, and answers as it was taught.
class Listener final : public engine::Audience {
 public:
  explicit Listener(bool answer) : answer_(answer) {}

  void warn(const std::vector<Diagnostic>& warnings) override {
    for (const Diagnostic& warning : warnings) heard.emplace_back(format(warning.code));
  }
  void show(const Plan& plan) override {
    heard.push_back("a plan of " + std::to_string(plan.steps.size()));
  }
  [[nodiscard]] bool asks() const override { return true; }
  [[nodiscard]] bool agrees() override {
    heard.emplace_back("a question");
    return answer_;
  }
  void begins() override { heard.emplace_back("the beginning"); }

  std::vector<std::string> heard;

 private:
  bool answer_;
};

std::vector<Code> codes(const std::vector<Diagnostic>& diagnostics) {
  std::vector<Code> codes;
  for (const Diagnostic& diagnostic : diagnostics) codes.push_back(diagnostic.code);
  return codes;
}

const std::vector<std::string> sources{"spec.json"};
constexpr const char* a_bridge =
    R"({"version": 1, "links": {"br0": {"kind": "bridge", "up": true}}})";

engine::Ended apply_text(const std::string& text, const engine::Opening& open, Listener& listener) {
  testing::MemoryFiles files({{"spec.json", text}});
  return engine::apply_files({sources, files, Mark()}, open, listener);
}

TEST(Change, OpensNothingForFilesWithErrors) {
  Listener listener(true);
  bool opened = false;
  const auto open = [&]() -> engine::Context {
    opened = true;
    throw std::logic_error("opened");
  };
  const engine::Ended ended = apply_text(R"({"version": 1, "links": 7})", open, listener);
  EXPECT_THAT(codes(ended.errors), ElementsAre(Code::wrong_type));
  EXPECT_FALSE(opened);
  EXPECT_THAT(listener.heard, IsEmpty());
}

class ChangeTest : public NetnsTest {
 protected:
  engine::Ended apply(const std::string& text, Listener& listener) {
    return apply_text(
        text, [&] { return site_->context(); }, listener);
  }
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    // A change takes from others what they may write above the ledger's directory, too.
    std::string made =
        (std::filesystem::temp_directory_path() / "plumbline-change-XXXXXX").string();
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    above_ = made;
    std::filesystem::create_directory(above_ / "ledger");
    site_.emplace(above_ / "ledger");
  }
  void TearDown() override {
    site_.reset();
    if (!above_.empty()) std::filesystem::remove_all(above_);
    NetnsTest::TearDown();
  }

  std::filesystem::path above_;
  std::optional<Site> site_;
};

TEST_F(ChangeTest, ShowsThenAsksThenBeginsAndAsksOfNothingWhereThereIsNothing) {
  Listener listener(true);
  EXPECT_EQ(apply(a_bridge, listener).outcome.result, engine::Result::applied);
  EXPECT_THAT(listener.heard, ElementsAre("a plan of 1", "a question", "the beginning"));
  Listener again(false);
  EXPECT_EQ(apply(a_bridge, again).outcome.result, engine::Result::unchanged);
  EXPECT_THAT(again.heard, ElementsAre("a plan of 0", "the beginning"));
}

TEST_F(ChangeTest, ANoChangesNothingAndLeavesTheLock) {
  Listener listener(false);
  EXPECT_THAT(codes(apply(a_bridge, listener).refusals), ElementsAre(Code::not_confirmed));
  EXPECT_THAT(listener.heard, ElementsAre("a plan of 1", "a question"));
  EXPECT_EQ(site_->prepare(a_bridge).plan.steps.size(), 1U);
  Listener yes(true);
  EXPECT_THAT(apply(a_bridge, yes).refusals, IsEmpty());
}

TEST_F(ChangeTest, ShowsNoPlanOfWhatIsRefused) {
  Listener first(true);
  static_cast<void>(apply(a_bridge, first));
  Listener listener(true);
  EXPECT_THAT(codes(apply(R"({"version": 1})", listener).refusals),
              ElementsAre(Code::would_remove_everything));
  EXPECT_THAT(listener.heard, IsEmpty());
}

TEST_F(ChangeTest, WhileAnotherIsAtWorkNothingIsLookedAt) {
  int holder = 0;
  const auto lock = engine::Lock::take(site_->context().directory, holder);
  ASSERT_TRUE(lock);
  Listener listener(true);
  EXPECT_THAT(codes(apply(a_bridge, listener).refusals), ElementsAre(Code::locked));
  EXPECT_THAT(listener.heard, IsEmpty());
}

}  // namespace
}  // namespace plumbline::test
