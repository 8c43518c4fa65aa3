// Plans as people read them: tests/golden/plan/<case>/{have,want[,foreign]}.json give plan.txt.
//
// `have` is carried out on the model of the kernel first, on a host with the links that it calls
// physical; then what is in `foreign` is there too, and not ours. With PLUMBLINE_UPDATE_GOLDEN=1
// the expected plans are written anew.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "plumbline/spec/expand.hpp"
#include "src/report/text.hpp"
#include "tests/support/kernel_model.hpp"
#include "tests/support/memory_files.hpp"

namespace plumbline::plan {
namespace {

namespace fs = std::filesystem;
using testing::KernelModel;

const fs::path golden = fs::path(PLUMBLINE_SOURCE_DIR) / "tests/golden/plan";

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

spec::Spec load(const fs::path& path) {
  testing::MemoryFiles files({{path.filename(), read(path)}});
  Diagnostics diagnostics;
  spec::Spec spec = spec::load({path.filename()}, files, diagnostics);
  for (const Diagnostic& error : diagnostics.errors) ADD_FAILURE() << format(error);
  return spec;
}

Plan plan_between(const State& have, const spec::Desired& want) {
  return make_plan(have, want.state, {}, want.origins, {});
}

std::string plan_of(const fs::path& directory) {
  KernelModel kernel;
  const spec::Spec have = load(directory / "have.json");
  for (const Link& link : have.state.of<Link>()) {
    if (link.kind == LinkKind::physical) kernel.add_physical(format(link.name));
  }
  const spec::Desired had = spec::expand(have, Mark());
  for (const Step& step : plan_between(kernel.state(), had).steps) {
    EXPECT_EQ(kernel.carry_out(step), "") << format(step.key);
  }
  if (fs::exists(directory / "foreign.json")) {
    const spec::Spec foreign = load(directory / "foreign.json");
    Kinds::for_each([&]<class K>(std::type_identity<K>) {
      for (const K& value : foreign.state.of<K>()) {
        if constexpr (std::is_same_v<K, Link>) {
          if (value.kind == LinkKind::physical) continue;
        }
        EXPECT_EQ(kernel.create(value), "");
      }
    });
  }
  const spec::Desired want = spec::expand(load(directory / "want.json"), Mark());
  return report::to_text(plan_between(kernel.state(), want), false);
}

class GoldenPlan : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenPlan, ReadsAsCommitted) {
  const fs::path directory = golden / GetParam();
  const std::string plan = plan_of(directory);
  if (std::getenv("PLUMBLINE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(directory / "plan.txt", std::ios::binary) << plan;
  }
  EXPECT_EQ(plan, read(directory / "plan.txt"));
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(golden)) {
    if (entry.is_directory()) names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenPlan, ::testing::ValuesIn(cases()), [](const auto& test) {
  std::string name = test.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace plumbline::plan
