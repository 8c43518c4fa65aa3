// `plumbline apply` killed at every point of its work: nothing is half applied, the next apply
// converges, and nothing that it started or made for itself outlives it.
//
// Each run applies rules that were never seen before, so that none of them finds anything compiled.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <system_error>
#include <thread>

#include "plumbline/engine/ledger_file.hpp"
#include "tests/support/tables.hpp"
#include "tests/support/traced.hpp"

namespace plumbline::test {
namespace {

const char* const foreign = R"(*filter
:THEIRS - [0:0]
[3:300] -A THEIRS -s 192.0.2.1/32 -j DROP
[5:500] -A FORWARD -j THEIRS
[7:700] -A INPUT -s 192.0.2.2/32 -m comment --comment "their own" -j ACCEPT
COMMIT
*nat
[9:900] -A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE
COMMIT
*mangle
[11:1100] -A PREROUTING -s 192.0.2.3/32 -j ACCEPT
COMMIT
)";

/// Rules that no other version has, more of them in every other version.
std::string rules(int version) {
  std::string list;
  for (int i = 0; i < 5 + 3 * (version % 2); ++i) {
    list += (i == 0 ? "\"-s 10." : ", \"-s 10.") + std::to_string(version / 250) + "." +
            std::to_string(version % 250) + "." + std::to_string(i) + " -j RETURN\"";
  }
  return list;
}

std::string spec(int version) {
  const std::string list = rules(version);
  return R"({ "version": 1, "iptables": {
    "filter": { "chains": { "APP": { "rules": [ )" +
         list + R"( ] }, "MORE": { "rules": [ )" + list + R"( ] } },
                "shared": { "FORWARD": { "insert": [ "-j APP", )" +
         list + R"( ] }, "INPUT": { "append": [ )" + list + R"( ] } } },
    "mangle": { "chains": { "MARKS": { "rules": [ )" +
         list + R"( ] } }, "shared": { "PREROUTING": { "insert": [ "-j MARKS" ] } } } } })";
}

/// The lines of what was saved that are not ours.
std::string of_others(const std::map<std::string, std::string>& tables) {
  std::string rest;
  for (const auto& [name, text] : tables) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const auto has = [&](const char* word) { return line.find(word) != std::string::npos; };
      if (!has("plumbline") && !has("APP") && !has("MORE") && !has("MARKS")) {
        rest += name + ": " + line + "\n";
      }
    }
  }
  return rest;
}

class KillTest : public NetnsTest, public testing::WithParamInterface<io::Backend> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    if (const std::string why_not = why_no_iptables(GetParam()); !why_not.empty()) {
      GTEST_SKIP() << why_not;
    }
    std::string name = std::filesystem::temp_directory_path() / "plumbline-kill-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    adopt_orphans();
    const std::string restore = program_of(GetParam(), "iptables", "restore");
    must_run({restore, "-c", "--noflush", "-w", "60"}, foreign);
    others_ = of_others(tables());
    apply_next_version();
  }

  void TearDown() override {
    if (!directory_.empty()) {
      std::filesystem::remove_all(directory_);
      std::filesystem::remove_all(engine::state_directory());
    }
    NetnsTest::TearDown();
  }

  /// iptables-legacy changes a table by two calls: the rules are replaced, and then the counters of
  /// those that stay are added to the new ones (IPT_SO_SET_REPLACE and
  /// IPT_SO_SET_ADD_COUNTERS in net/ipv4/netfilter/ip_tables.c). Killed between the two it leaves a
  /// whole table without its counters.
  static std::map<std::string, std::string> tables() {
    const bool legacy = GetParam() == io::Backend::legacy;
    return saved_tables(GetParam(), legacy ? Counters::hidden : Counters::shown);
  }

  void next_version() { std::ofstream(directory_ / "spec.json") << spec(++version_); }
  void apply_next_version() {
    next_version();
    must_run(apply());
    now_ = tables();
  }
  [[nodiscard]] std::vector<std::string> apply() const {
    return {
        PLUMBLINE_BINARY,        "apply", "--yes", "--iptables", std::string(format(GetParam())),
        directory_ / "spec.json"};
  }
  [[nodiscard]] std::vector<std::string> plan() const {
    return {PLUMBLINE_BINARY,
            "plan",
            "--detailed-exitcode",
            "--iptables",
            std::string(format(GetParam())),
            directory_ / "spec.json"};
  }

  /// A run of apply for a new version was killed just now.
  void expect_whole_and_converging() {
    const auto left = tables();
    const CommandResult again = run(apply());
    EXPECT_EQ(again.status, 0) << again.output;
    const auto wanted = tables();
    const CommandResult planned = run(plan());
    EXPECT_EQ(planned.status, 0) << planned.output;
    EXPECT_EQ(of_others(wanted), others_);
    EXPECT_NE(now_, wanted);
    for (const auto& [table, text] : left) {
      EXPECT_TRUE(text == now_[table] || text == wanted.at(table)) << "a half of " << table << "\n"
                                                                   << text << "before\n"
                                                                   << now_[table];
    }
    EXPECT_EQ(left.size(), now_.size());
    old_ += left == now_ ? 1 : 0;
    new_ += left == wanted ? 1 : 0;
    halves_ += left != now_ && left != wanted ? 1 : 0;
    now_ = wanted;
  }

  /// Kills one run of apply at each of the moments.
  void kill_at(const std::vector<Moment>& moments) {
    std::set<std::string> held;
    for (const Moment& moment : moments) {
      SCOPED_TRACE((moment.call.of_child ? "call of a child " : "own call ") +
                   std::to_string(moment.call.number) + " number " + std::to_string(moment.count) +
                   (moment.afterwards ? ", done" : ""));
      next_version();
      const Traced traced = run_until(apply(), moment);
      // Where threads take turns a run may do with fewer calls than the first.
      if (traced.killed) {
        ++killed_;
        EXPECT_EQ(traced.status, 128 + SIGKILL);
      } else {
        EXPECT_EQ(traced.status, 0);
      }
      EXPECT_EQ(traced.survivor, "");
      held.insert(traced.held.begin(), traced.held.end());
      expect_whole_and_converging();
      if (HasFailure()) return;
    }
    report();
    EXPECT_GE(killed_, moments.size() * 3 / 4);
    EXPECT_FALSE(held.empty()) << "no scratch namespace was ever there";
    expect_released(held);
  }

  /// Processes are no longer there to hold a namespace: run_until() has waited for all of them.
  static void expect_released(const std::set<std::string>& namespaces) {
    EXPECT_EQ(wait_for_all(), "");
    std::ifstream mounts("/proc/thread-self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
      for (const std::string& one : namespaces) {
        EXPECT_EQ(line.find(one), std::string::npos) << "is mounted: " << line;
      }
    }
  }

  void report() const {
    std::cout << "    killed " << killed_ << " times: " << old_ << " times all was old, " << new_
              << " times all was new, " << halves_ << " times some tables were new\n";
    const bool at_once = GetParam() == io::Backend::nft && nft_commits_all_tables_at_once;
    EXPECT_TRUE(halves_ == 0 || !at_once);
  }

  /// Which calls a whole run makes, and how often.
  std::map<Call, int> calls_of_a_run() {
    next_version();
    Traced whole = run_until(apply(), {});
    if (!whole.why_not.empty()) return {};
    EXPECT_EQ(whole.status, 0);
    now_ = tables();
    return whole.calls;
  }

  std::size_t killed_ = 0;
  int old_ = 0;
  int new_ = 0;

 private:
  std::filesystem::path directory_;
  std::string others_;
  std::map<std::string, std::string> now_;
  int version_ = 0;
  int halves_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Backends, KillTest, testing::Values(io::Backend::nft, io::Backend::legacy),
                         [](const auto& of) { return std::string(format(of.param)); });

enum class Sides { in_turn, both };

/// Before and after calls of a kind, from the first to the last of a run: each of them, or as many
/// as make `most` moments.
void add_moments(const std::map<Call, int>& calls, const Call& call, Sides sides, int most,
                 std::vector<Moment>& into) {
  const auto found = calls.find(call);
  if (found == calls.end()) return;
  const int share = sides == Sides::both ? most / 2 : most;
  const int count = std::min(share, found->second);
  for (int i = 0; i < count; ++i) {
    const int at = count == 1 ? 1 : 1 + i * (found->second - 1) / (count - 1);
    if (sides == Sides::both || i % 2 == 0) into.push_back({call, at, false});
    if (sides == Sides::both || i % 2 == 1) into.push_back({call, at, true});
  }
}

TEST_P(KillTest, AtCallsSpreadOverTheWholeRun) {
  const auto calls = calls_of_a_run();
  if (calls.empty()) GTEST_SKIP() << "programs cannot be traced here";
  std::vector<Moment> moments;
  add_moments(calls, {false, any_call}, Sides::in_turn, 40, moments);
  add_moments(calls, {true, any_call}, Sides::in_turn, 16, moments);
  kill_at(moments);
  EXPECT_GT(old_, 0);
  EXPECT_GT(new_, 0);
}

TEST_P(KillTest, WhereItTalksToTheKernelAndWritesWhatItRemembers) {
  const auto calls = calls_of_a_run();
  if (calls.empty()) GTEST_SKIP() << "programs cannot be traced here";
  std::vector<Moment> moments;
  for (const long number : {SYS_sendto, SYS_sendmsg}) {
    add_moments(calls, {false, number}, Sides::both, 48, moments);
  }
  for (const long number : {SYS_rename, SYS_unshare, SYS_setns}) {
    add_moments(calls, {false, number}, Sides::both, 8, moments);
  }
  kill_at(moments);
}

TEST_P(KillTest, WhereProgramsAreStartedAndDoTheirWork) {
  const auto calls = calls_of_a_run();
  if (calls.empty()) GTEST_SKIP() << "programs cannot be traced here";
  std::vector<Moment> moments;
  for (const long number : {SYS_clone, SYS_clone3}) {
    add_moments(calls, {false, number}, Sides::in_turn, 6, moments);
  }
  for (const long number : {SYS_prctl, SYS_execve}) {
    add_moments(calls, {true, number}, Sides::in_turn, 8, moments);
  }
  for (const long number : {SYS_sendto, SYS_sendmsg, SYS_setsockopt}) {
    add_moments(calls, {true, number}, Sides::both, 16, moments);
  }
  kill_at(moments);
}

/// Without waiting for it. What it prints is thrown away.
pid_t start_program(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
  }
  pid_t pid = -1;
  const int error = posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), words.front());
  return pid;
}

TEST_P(KillTest, AfterAnyTime) {
  using std::chrono::steady_clock;
  const auto start = steady_clock::now();
  apply_next_version();
  const auto whole = steady_clock::now() - start;
  constexpr int steps = 24;
  for (int step = 0; step < steps && !HasFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    next_version();
    const std::vector<std::string> words = apply();
    const pid_t pid = start_program(words);
    std::this_thread::sleep_for(whole * step / steps);
    ::kill(pid, SIGKILL);
    EXPECT_EQ(wait_for_all(), "");
    expect_whole_and_converging();
    ++killed_;
  }
  report();
  EXPECT_GT(old_, 0);
}

}  // namespace
}  // namespace plumbline::test
