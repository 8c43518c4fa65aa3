// How many guests a bridge takes: said before anything is made, and as the kernel has it.

#include <gmock/gmock.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/netns.hpp"

namespace plumbline::test {
namespace {

constexpr int most_ports = 1023;

class NetworkSizeTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    if (access("/dev/net/tun", R_OK | W_OK) != 0)
      GTEST_SKIP() << "/dev/net/tun cannot be opened here";
    std::string name = std::filesystem::temp_directory_path() / "plumbline-size-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    std::filesystem::remove_all(directory_);
    NetnsTest::TearDown();
  }

  CommandResult plumbline(const std::string& verb, int guests) {
    const std::filesystem::path path = directory_ / "spec.json";
    std::ofstream file(path);
    file << R"({"version": 1, "networks": {"net0": {"subnet": "10.0.0.0/20", "vms": {)";
    for (int guest = 0; guest < guests; ++guest) {
      file << (guest > 0 ? "," : "") << "\"v" << guest << "\": {}";
    }
    file << "}}}}";
    file.close();
    std::vector<std::string> command{PLUMBLINE_BINARY, verb, path};
    if (verb == "apply") command.emplace_back("--yes");
    return run(command);
  }

  static std::string links() { return ip("-o link show"); }

 private:
  std::filesystem::path directory_;
};

TEST_F(NetworkSizeTest, OneGuestMoreThanABridgeTakesIsAnErrorThatSaysWhere) {
  const std::string before = links();
  for (const char* verb : {"validate", "plan", "apply"}) {
    const CommandResult result = plumbline(verb, most_ports + 1);
    EXPECT_EQ(result.status, 1) << verb;
    EXPECT_THAT(result.output, testing::AllOf(testing::HasSubstr("OUT_OF_RANGE"),
                                              testing::HasSubstr("a bridge takes 1023 TAPs"),
                                              testing::HasSubstr("/networks/net0/vms/v1023")));
  }
  EXPECT_EQ(links(), before);
}

TEST_F(NetworkSizeTest, AsManyGuestsAsABridgeTakesAreMadeAndTheKernelTakesNoMore) {
  const CommandResult applied = plumbline("apply", most_ports);
  EXPECT_EQ(applied.status, 0) << applied.output;
  const std::string ports = ip("-o link show master net0");
  EXPECT_EQ(std::ranges::count(ports, '\n'), most_ports);
  ip("link add one type veth peer name two");
  const CommandResult more = run({"ip", "link", "set", "one", "master", "net0"});
  EXPECT_NE(more.status, 0);
  EXPECT_THAT(more.output, testing::HasSubstr("Exchange full"));
}

}  // namespace
}  // namespace plumbline::test
