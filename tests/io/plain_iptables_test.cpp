// A host on which the programs of iptables have their plain names alone.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "plumbline/io/host.hpp"
#include "plumbline/io/iptables.hpp"
#include "plumbline/io/program.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/small_disk.hpp"

namespace plumbline::io {
namespace {

/// Programs of the test's own in the one place where others are looked for.
class PlainIptables : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    disk_.emplace("/usr/sbin", std::size_t{1} << 20U);
    if (!disk_->is_mounted()) GTEST_SKIP() << "nothing can be mounted here";
    if (!find_program("iptables-save").empty()) GTEST_SKIP() << "iptables is not in /usr/sbin";
    be("nf_tables");
    for (const char* name : {"iptables-save", "iptables-restore"}) put(name, "cat >/dev/null");
  }
  void TearDown() override {
    disk_.reset();
    NetnsTest::TearDown();
  }

  void be(const std::string& backend) {
    put("iptables", "echo x >>/usr/sbin/asked; echo 'iptables v1.8.9 (" + backend + ")'");
  }
  static void put(const std::string& name, const std::string& script) {
    const std::string path = "/usr/sbin/" + name;
    std::ofstream(path + ".new") << "#!/bin/sh\n" << script << "\n";
    chmod((path + ".new").c_str(), 0755);
    std::filesystem::rename(path + ".new", path);
  }
  static std::ptrdiff_t times_asked() {
    std::ifstream file("/usr/sbin/asked");
    return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  }

  std::optional<test::SmallDisk> disk_;
};

TEST_F(PlainIptables, AreAskedOnceWhichOnesTheyAre) {
  Iptables iptables(Backend::automatic);
  EXPECT_EQ(iptables.backend(), Backend::nft);
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(iptables.dump(Family::inet).error, 0);
    EXPECT_EQ(iptables.restore(Family::inet, "*filter\nCOMMIT\n").error, 0);
  }
  EXPECT_EQ(times_asked(), 1);
}

TEST_F(PlainIptables, AreAskedAgainWhenTheyAreOthers) {
  Iptables iptables(Backend::nft);
  EXPECT_EQ(iptables.restore(Family::inet, "*filter\nCOMMIT\n").error, 0);
  be("legacy");
  EXPECT_THROW(static_cast<void>(iptables.restore(Family::inet, "*filter\nCOMMIT\n")), HostError);
  EXPECT_EQ(times_asked(), 2);
}

}  // namespace
}  // namespace plumbline::io
