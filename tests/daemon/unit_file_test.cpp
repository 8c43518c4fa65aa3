// The systemd unit that we ship, as systemd itself reads it.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/netns.hpp"

namespace plumbline::daemon {
namespace {

std::string shipped_unit() {
  std::ostringstream text;
  text << std::ifstream(PLUMBLINE_SOURCE_DIR "/deploy/plumbline.service").rdbuf();
  return text.str();
}

/// What systemd has to say about the unit; its program is taken from where it was built.
test::CommandResult verify(std::string unit) {
  const std::string installed = "/usr/local/sbin/plumbline";
  const std::size_t at = unit.find(installed);
  if (at != std::string::npos) unit.replace(at, installed.size(), PLUMBLINE_BINARY);
  const std::filesystem::path directory = testing::TempDir() + "unit-" + std::to_string(::getpid());
  std::filesystem::create_directories(directory);
  const std::string file = directory / "plumbline.service";
  std::ofstream(file) << unit;
  test::CommandResult result = test::run({"systemd-analyze", "verify", "--man=no", file});
  std::filesystem::remove_all(directory);
  return result;
}

TEST(UnitFile, HasOnlyWhatSystemdKnows) {
  if (test::run({"systemd-analyze", "--version"}).status != 0) {
    GTEST_SKIP() << "systemd-analyze is not installed";
  }
  const test::CommandResult result = verify(shipped_unit());
  EXPECT_EQ(result.output, "");
  EXPECT_EQ(result.status, 0);
  EXPECT_NE(verify(shipped_unit() + "[Service]\nProtectSystm=strict\n").output, "")
      << "an unknown directive has to be seen";
}

}  // namespace
}  // namespace plumbline::daemon
