// Where plumbline keeps what it remembers there is no room, or something that is not its own:
// nothing is changed without a way back, and what is said is so.

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fstream>
#include <functional>
#include <optional>

#include "plumbline/engine/ledger_file.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/small_disk.hpp"

namespace plumbline::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string forwards = R"({"version": 1, "sysctls": {"net.ipv4.ip_forward": 1}})";
const std::string bridge = R"({"version": 1, "links": {"br0": {"kind": "bridge"}}})";

/// More than fits on the disk once they are applied.
std::string many_routes() {
  std::string list;
  for (int i = 0; i < 1000; ++i) {
    list += (i == 0 ? R"({"to": "10.9.)" : R"(, {"to": "10.9.)") + std::to_string(i / 250) + "." +
            std::to_string(i % 250) + R"(/32", "type": "blackhole"})";
  }
  return R"({"version": 1, "routes": [)" + list + "]}";
}

std::string forwarding() {
  std::string value;
  std::ifstream("/proc/sys/net/ipv4/ip_forward") >> value;
  return value;
}

class FullDisk : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    bring_up_loopback();
    disk_.emplace("/run/plumbline", std::size_t{40} * 1024);
    if (!disk_->is_mounted()) GTEST_SKIP() << "nothing can be mounted here";
  }
  void TearDown() override {
    disk_.reset();
    NetnsTest::TearDown();
  }

  [[nodiscard]] const SmallDisk& disk() const { return *disk_; }
  static CommandResult plumbline(std::vector<std::string> words, const std::string& input = {}) {
    words.insert(words.begin(), PLUMBLINE_BINARY);
    return run(words, input);
  }
  static CommandResult apply(const std::string& spec) {
    return plumbline({"apply", "--yes", "-"}, spec);
  }
  static std::string code_of_apply(const std::string& spec) {
    const CommandResult applied = plumbline({"--format", "json", "apply", "--yes", "-"}, spec);
    EXPECT_EQ(applied.status, 1) << applied.output;
    const json::object errors = json::parse(applied.output).as_object();
    return std::string(errors.at("errors").at(0).at("code").as_string());
  }

 private:
  std::optional<SmallDisk> disk_;
};

TEST_F(FullDisk, WhatCannotBeRememberedBeforeIsNotChanged) {
  disk().fill();
  EXPECT_EQ(code_of_apply(forwards), "CANNOT_REMEMBER");
  EXPECT_EQ(forwarding(), "0");
  disk().make_room();
  EXPECT_EQ(apply(forwards).status, 0);
  EXPECT_EQ(plumbline({"destroy", "--yes"}).status, 0);
  EXPECT_EQ(forwarding(), "0");
}

TEST_F(FullDisk, WhatCouldNotBeRememberedAfterwardsIsNotBegun) {
  EXPECT_EQ(code_of_apply(many_routes()), "CANNOT_REMEMBER");
  EXPECT_EQ(ip("route show"), "");
  EXPECT_EQ(code_of_apply(many_routes()), "CANNOT_REMEMBER") << "and nothing is left of the trial";
}

TEST_F(FullDisk, NothingIsTheMatterWhereNothingNewIsToBeRemembered) {
  ASSERT_EQ(apply(bridge).status, 0);
  disk().fill();
  ip("link del br0");
  const CommandResult repaired = apply(bridge);
  EXPECT_EQ(repaired.status, 0) << repaired.output;
  EXPECT_THAT(repaired.output, Not(HasSubstr("warning")));
  EXPECT_THAT(ip("link show"), HasSubstr("br0"));
}

TEST_F(FullDisk, AFailedApplyIsUndoneAndSaysSo) {
  ASSERT_EQ(apply(bridge).status, 0);
  const std::string fails = R"({"version": 1, "links": {"br0": {"kind": "bridge"}, "br1": {
      "kind": "bridge"}}, "sysctls": {"net.ipv4.ip_local_port_range": "5 1"}})";
  EXPECT_EQ(apply(fails).status, 3);
  disk().fill();
  EXPECT_EQ(code_of_apply(fails), "CANNOT_REMEMBER");
  EXPECT_THAT(ip("link show"), Not(HasSubstr("br1")));
}

TEST_F(FullDisk, DestroyOnlyFreesAndWorks) {
  for (const bool read_only : {false, true}) {
    ASSERT_EQ(apply(R"({"version": 1, "links": {"br0": {"kind": "bridge"}},
                        "sysctls": {"net.ipv4.ip_forward": 1}})")
                  .status,
              0);
    disk().fill();
    disk().set_read_only(read_only);
    const CommandResult destroyed = plumbline({"destroy", "--yes"});
    EXPECT_EQ(destroyed.status, 0) << destroyed.output;
    EXPECT_EQ(destroyed.output.find("HOST_WARNING: not remembered: ") != std::string::npos,
              read_only);
    EXPECT_EQ(forwarding(), "0");
    EXPECT_THAT(ip("link show"), Not(HasSubstr("br0")));
    disk().set_read_only(false);
    disk().make_room();
  }
}

TEST_F(FullDisk, WhoOnlyLooksNeedsNone) {
  disk().fill();
  disk().set_read_only(true);
  EXPECT_EQ(plumbline({"plan", "-"}, forwards).status, 0);
  EXPECT_EQ(plumbline({"show"}).status, 0);
  EXPECT_EQ(plumbline({"vms"}).status, 0);
  EXPECT_EQ(code_of_apply(forwards), "CANNOT_REMEMBER");
  EXPECT_EQ(forwarding(), "0");
}

TEST_F(FullDisk, TheStateDirectoryIsMadeForRootAloneWhateverTheUmask) {
  const mode_t before = umask(0);
  fs::remove_all(engine::state_directory());
  EXPECT_EQ(apply(bridge).status, 0);
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(engine::state_directory().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST_F(FullDisk, ADirectoryThatOthersCouldWriteIsClosedToThemAndThatIsSaid) {
  ASSERT_EQ(apply(forwards).status, 0);
  ASSERT_EQ(chmod("/run/plumbline", 0777), 0);
  ASSERT_EQ(chmod(engine::state_directory().c_str(), 0775), 0);
  const CommandResult planned = plumbline({"plan", "-"}, forwards);
  EXPECT_THAT(planned.output, HasSubstr("/run/plumbline is not used: it is not ours alone"));
  const CommandResult destroyed = plumbline({"destroy", "--yes"});
  EXPECT_EQ(destroyed.status, 0) << destroyed.output;
  EXPECT_THAT(destroyed.output, HasSubstr("HOST_WARNING: /run/plumbline could be written by "
                                          "others (owner 0, mode 0777): its mode is 0700 now"));
  EXPECT_EQ(forwarding(), "0") << "what is in it is ours";
}

TEST_F(FullDisk, ADirectoryOfAnEarlierVersionGoesOnBeingUsed) {
  ASSERT_EQ(apply(forwards).status, 0);
  ASSERT_EQ(chmod("/run/plumbline", 0755), 0);
  const CommandResult destroyed = plumbline({"destroy", "--yes"});
  EXPECT_EQ(destroyed.status, 0);
  EXPECT_THAT(destroyed.output, Not(HasSubstr("could be written")));
  EXPECT_EQ(forwarding(), "0");
}

TEST_F(FullDisk, WhatIsNotOursIsToldAndNeverUsed) {
  const fs::path victim = fs::path("/run/plumbline") / "victim";
  const auto refused = [&](const std::function<void(const fs::path&)>& spoil) {
    for (const char* const name : {"", "lock"}) {
      const fs::path spoilt = engine::state_directory() / name;
      fs::remove_all(engine::state_directory());
      fs::remove_all(victim);
      ASSERT_EQ(apply(bridge).status, 0);
      fs::create_directories(victim);
      ASSERT_EQ(chmod(victim.c_str(), 0755), 0);
      const fs::path at = *name == '\0' ? engine::state_directory() : spoilt;
      fs::remove_all(at);
      spoil(at);
      EXPECT_EQ(code_of_apply(forwards), "UNSAFE_STATE") << at;
      EXPECT_EQ(forwarding(), "0");
      struct stat status {};
      ASSERT_EQ(stat(victim.c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 07777U, 0755U);
      EXPECT_TRUE(fs::is_empty(victim));
    }
  };
  refused([&](const fs::path& at) { fs::create_symlink(victim, at); });
  refused([&](const fs::path& at) { fs::create_symlink(victim / "new", at); });
  refused([](const fs::path& at) { ASSERT_EQ(mkfifo(at.c_str(), 0600), 0); });
  refused([](const fs::path& at) {
    fs::create_directory(at);
    ASSERT_EQ(chown(at.c_str(), 65534, 65534), 0);
  });
}

TEST_F(FullDisk, ASpoiltLedgerIsToldAndKept) {
  ASSERT_EQ(apply(forwards).status, 0);
  const fs::path ledger = engine::state_directory() / "ledger.json";
  fs::resize_file(ledger, fs::file_size(ledger) / 2);
  EXPECT_THAT(plumbline({"plan", "-"}, forwards).output, HasSubstr("warning: "));
  EXPECT_TRUE(fs::exists(ledger));
  const CommandResult applied = apply(bridge);
  EXPECT_EQ(applied.status, 0);
  EXPECT_THAT(applied.output, HasSubstr("is kept as " + ledger.string() + ".kept-1"));
  EXPECT_TRUE(fs::exists(ledger.string() + ".kept-1"));
}

}  // namespace
}  // namespace plumbline::test
