// Somebody wants an `apply` to end, by Ctrl-C, a terminal that hangs up, or a supervisor, at any of
// its messages to the kernel: it was not begun, or it comes to its end and says what became of it.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "plumbline/engine/ledger_file.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/traced.hpp"

namespace plumbline::test {
namespace {

const char* const spec = R"({"version": 1,
  "links": {"br0": {"kind": "bridge", "addresses": ["10.7.0.1/24"]}},
  "routes": [{"to": "10.9.0.0/16", "type": "blackhole"}],
  "sysctls": {"net.ipv4.conf.br0.rp_filter": 1, "net.ipv4.ip_forward": 1}})";

class HangUp : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    bring_up_loopback();
    std::string name = std::filesystem::temp_directory_path() / "plumbline-hang-up-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    std::ofstream(directory_ / "host.json") << spec;
  }
  void TearDown() override {
    if (!directory_.empty()) {
      std::filesystem::remove_all(directory_);
      std::filesystem::remove_all(engine::state_directory());
    }
    NetnsTest::TearDown();
  }

  [[nodiscard]] std::vector<std::string> apply() const {
    return {PLUMBLINE_BINARY, "apply", "--yes", directory_ / "host.json"};
  }
  static std::vector<std::string> destroy() { return {PLUMBLINE_BINARY, "destroy", "--yes"}; }
  /// How much of what the spec has is there.
  static int count() {
    int forwarding = 0;
    std::ifstream("/proc/sys/net/ipv4/ip_forward") >> forwarding;
    const std::string text = ip("-o link") + ip("-o addr") + ip("route");
    const auto has = [&](const char* what) { return text.find(what) == text.npos ? 0 : 1; };
    return has(": br0:") + has("10.7.0.1/24") + has("blackhole 10.9.0.0/16") + forwarding;
  }

  /// Sends the signal at a message, at another one in each run. What there is after a run that it
  /// ended, and after one that came to its end.
  void hang_up(int signal, const std::vector<std::string>& words,
               const std::vector<std::string>& back, int ended, int done) {
    must_run(back);
    const Call message{false, SYS_sendto};
    Traced traced = run_until(words, std::nullopt);
    if (!traced.why_not.empty()) GTEST_SKIP() << traced.why_not;
    int ended_by_it = 0;
    int came_to_an_end = 0;
    constexpr int most_runs = 12;
    const int messages = traced.calls[message];
    const int step = std::max(1, messages / most_runs);
    for (int number = 1; number <= messages; number += step) {
      must_run(back);
      traced = run_until(words, Moment{message, number, false, signal});
      if (!traced.killed) continue;
      SCOPED_TRACE("at message " + std::to_string(number));
      const bool by_it = traced.status == 128 + signal;
      ++(by_it ? ended_by_it : came_to_an_end);
      if (!by_it) {
        EXPECT_EQ(traced.status, 0);
      }
      EXPECT_EQ(count(), by_it ? ended : done);
      if (HasFailure()) return;
    }
    EXPECT_GT(ended_by_it, 0);
    EXPECT_GT(came_to_an_end, 1);
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(HangUp, AnApplyIsNotBegunOrComesToItsEnd) { hang_up(SIGHUP, apply(), destroy(), 0, 4); }

TEST_F(HangUp, ADestroyIsNotBegunOrComesToItsEnd) {
  ASSERT_EQ(run(apply()).status, 0);
  hang_up(SIGINT, destroy(), apply(), 4, 0);
}

}  // namespace
}  // namespace plumbline::test
