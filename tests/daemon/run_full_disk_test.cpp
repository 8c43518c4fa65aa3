// `plumbline run` where nothing can be remembered: guards and all that needs no memory are kept.

#include <sys/stat.h>

#include <optional>

#include "tests/daemon/running.hpp"
#include "tests/support/small_disk.hpp"

namespace plumbline::daemon {
namespace {

const std::string ours = "10.9.0.0/24";
const std::string forwarding = "/proc/sys/net/ipv4/ip_forward";

std::string first_word(const std::string& path) {
  std::string word;
  std::ifstream(path) >> word;
  return word;
}

class RunFullDisk : public RunTest {
 protected:
  void SetUp() override {
    RunTest::SetUp();
    if (IsSkipped()) return;
    disk_.emplace("/run/plumbline", std::size_t{40} * 1024);
    if (!disk_->is_mounted()) GTEST_SKIP() << "nothing can be mounted here";
    write(file(), spec(R"("routes": [ { "to": ")" + ours + R"(", "type": "blackhole" } ],
        "sysctls": { "net.ipv4.ip_forward": 1 })"));
  }
  void TearDown() override {
    RunTest::TearDown();
    disk_.reset();
  }

  void expect_what_needs_no_memory_to_be_kept() {
    start_and_converge("200ms");
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(has_route(ours));
      test::ip("route del blackhole " + ours);
      EXPECT_TRUE(soon("the repair", [] { return has_route(ours); }));
    }
    EXPECT_EQ(first_word(forwarding), "0") << "nobody would know what it was";
    EXPECT_TRUE(
        logged("warning left as it was, which cannot be remembered: sysctl "
               "net.ipv4.ip_forward"));
  }
  void expect_the_rest_to_follow() {
    EXPECT_TRUE(soon("the sysctl", [] { return first_word(forwarding) == "1"; }));
    EXPECT_TRUE(soon("the end of it", [&] { return logged("no longer: left as it was"); }));
    EXPECT_EQ(stop(SIGTERM), 0);
    test::must_run({PLUMBLINE_BINARY, "destroy", "--yes"});
    EXPECT_EQ(first_word(forwarding), "0") << "what it was is known";
  }
  [[nodiscard]] const test::SmallDisk& disk() const { return *disk_; }

 private:
  std::optional<test::SmallDisk> disk_;
};

TEST_F(RunFullDisk, KeepsWhatNeedsNoMemoryAndDoesTheRestOnceThereIsRoom) {
  disk().fill();
  expect_what_needs_no_memory_to_be_kept();
  disk().make_room();
  expect_the_rest_to_follow();
}

TEST_F(RunFullDisk, WorksWhereNothingCanBeWrittenAtAll) {
  disk().set_read_only(true);
  expect_what_needs_no_memory_to_be_kept();
  disk().set_read_only(false);
  expect_the_rest_to_follow();
}

TEST_F(RunFullDisk, WorksWhereWhatIsThereIsNotOurs) {
  const std::filesystem::path there = engine::state_directory();
  std::filesystem::create_directory_symlink("/run", there);
  expect_what_needs_no_memory_to_be_kept();
  EXPECT_TRUE(logged("warning UNSAFE_STATE: " + there.string() + " is not used"));
  std::filesystem::remove(there);
  expect_the_rest_to_follow();
}

TEST_F(RunFullDisk, SetsPoliciesAllTheSameAsTheyGuard) {
  if (test::run({"iptables-nft", "-S"}).status != 0) GTEST_SKIP() << "no iptables-nft";
  disk().fill();
  write(file(),
        spec(R"("iptables": { "filter": { "shared": { "FORWARD": { "policy": "DROP" } } } })"));
  start_and_converge("60s", {}, {"--iptables", "nft"});
  EXPECT_EQ(test::must_run({"iptables-nft", "-S", "FORWARD"}), "-P FORWARD DROP\n");
  EXPECT_EQ(stop(SIGTERM), 0);
}

}  // namespace
}  // namespace plumbline::daemon
