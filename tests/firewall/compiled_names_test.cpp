// Names in rules that stand for numbers: a compiled rule is right only as long as they do.

#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>

#include "tests/firewall/compiling.hpp"
#include "tests/support/covered.hpp"

namespace plumbline::engine {

namespace {

namespace fs = std::filesystem;

struct Names {
  std::string file;
  std::string rule;
  std::string before;
  std::string after;
  Family family = Family::inet;
};

/// `guests` in each, a number before and another one after.
const std::vector<Names> all_names{
    {"/etc/services", "-p tcp --dport guests -j DROP", "guests 1001/tcp\n", "guests 1002/tcp\n"},
    {"/etc/protocols", "-p guests -j DROP", "guests 201 GUESTS\n", "guests 202 GUESTS\n"},
    {"/etc/passwd", "-m owner --uid-owner guests -j DROP", "guests:x:5001:5001::/:/bin/sh\n",
     "guests:x:5002:5001::/:/bin/sh\n"},
    {"/etc/group", "-m owner --gid-owner guests -j DROP", "guests:x:5001:\n", "guests:x:5002:\n"},
    {"/etc/ethertypes", "-p guests -j DROP", "guests 9001\n", "guests 9002\n", Family::bridge},
    {"/etc/iproute2/group", "-m devgroup --src-group guests -j DROP", "11 guests\n", "12 guests\n"},
    {"/etc/iproute2/rt_realms", "-m realm --realm guests -j DROP", "11 guests\n", "12 guests\n"},
};

/// With files of the test's own in the place of the machine's, for this program alone.
class CompiledNames : public Compiling {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "plumbline-names-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    Compiling::SetUp();
  }
  void TearDown() override {
    uncover();
    Compiling::TearDown();
    fs::remove_all(root_);
  }

  bool cover(const std::string& file) {
    say("");
    covered_ = test::Covered::if_allowed(own(), file);
    return covered_ != nullptr;
  }
  void uncover() { covered_.reset(); }
  void say(const std::string& content) const { std::ofstream(own()) << content; }
  [[nodiscard]] fs::path own() const { return root_ / "names"; }

  /// What the next process makes of the rule.
  FirewallRule next_process(const Names& names) {
    want_nothing();
    want("APP", {names.rule}, "filter", names.family);
    start(root_ / "compiled");
    const State state = compile();
    EXPECT_THAT(errors(), testing::IsEmpty());
    return *state.find<Chain>({names.family, "filter", "APP"})->rules.begin();
  }

 private:
  fs::path root_;
  std::unique_ptr<test::Covered> covered_;
};

INSTANTIATE_TEST_SUITE_P(Backends, CompiledNames, testing::Values(io::Backend::nft), backend_name);

TEST_P(CompiledNames, AreLookedUpAgainWhenTheirFileChanged) {
  int covered = 0;
  for (const Names& names : all_names) {
    SCOPED_TRACE(names.file);
    if (!fs::exists(names.file)) continue;
    if (!cover(names.file)) GTEST_SKIP() << "nothing can be mounted here";
    ++covered;
    say(names.before);
    const FirewallRule before = next_process(names);
    EXPECT_EQ(next_process(names), before);
    say(names.after);
    EXPECT_NE(next_process(names), before);
    uncover();
  }
  EXPECT_GE(covered, 4);
}

TEST_P(CompiledNames, AreLookedUpAgainWhenOtherFilesCount) {
  if (!fs::exists("/etc/nsswitch.conf")) GTEST_SKIP() << "no /etc/nsswitch.conf";
  const std::string before = scratch_->circumstances();
  if (!cover("/etc/nsswitch.conf")) GTEST_SKIP() << "nothing can be mounted here";
  EXPECT_NE(scratch_->circumstances(), before);
}

}  // namespace

}  // namespace plumbline::engine
