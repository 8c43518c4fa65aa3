// `plumbline run`, the real program, in a network namespace of the test's own.
//
// Tests wait for what can be seen in the kernel or in the log, never for a fixed time, and measure
// how long it took.

#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <thread>

#include "plumbline/engine/ledger_file.hpp"
#include "plumbline/engine/lock.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/slowness.hpp"

extern char** environ;

namespace plumbline::daemon {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr int build_slowness = 6;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr int build_slowness = 6;
#else
inline constexpr int build_slowness = 1;
#endif
#else
inline constexpr int build_slowness = 1;
#endif

/// How many times longer everything may take: for the build, and for an emulated machine.
inline int slowness() { return build_slowness * test::slowness_of_machine(); }

using std::chrono::milliseconds;

/// Within what every change has to lead to the right pass.
inline const milliseconds promptly = slowness() * milliseconds(1000);
/// For what has no promise of its own.
inline const milliseconds patiently = slowness() * milliseconds(10000);

/// Waits until `is_so`, and reports how long that took; false when `deadline` passed first.
inline bool soon(const std::string& what, const std::function<bool()>& is_so,
                 milliseconds deadline = promptly) {
  const auto start = std::chrono::steady_clock::now();
  while (true) {
    const bool seen = is_so();
    const auto took =
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
    if (seen && took <= deadline) {
      std::cout << "    " << what << " after " << took.count() << " ms\n";
      return true;
    }
    if (took > deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
}

class RunTest : public test::NetnsTest {
 protected:
  void SetUp() override {
    test::NetnsTest::SetUp();
    if (IsSkipped()) return;
    home_ = testing::TempDir() + "plumbline-run-" + std::to_string(::getpid());
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_ / "spec");
    test::bring_up_loopback();
  }

  void TearDown() override {
    if (pid_ > 0) stop(SIGKILL);
    if (HasFailure()) std::cout << "---- log\n" << log() << "----\n";
    if (!home_.empty()) {
      std::filesystem::remove_all(home_);
      std::filesystem::remove_all(engine::state_directory());
    }
    test::NetnsTest::TearDown();
  }

  [[nodiscard]] std::filesystem::path directory() const { return home_ / "spec"; }
  [[nodiscard]] std::filesystem::path file() const { return directory() / "host.json"; }

  static void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::trunc) << text;
  }

  /// A spec with these members beside its version.
  static std::string spec(const std::string& members) {
    return "{ \"version\": 1, " + members + " }\n";
  }
  /// A spec of blackhole routes.
  static std::string routes(const std::vector<std::string>& networks) {
    std::string list;
    for (const std::string& network : networks) {
      list +=
          (list.empty() ? "" : ", ") + ("{ \"to\": \"" + network) + "\", \"type\": \"blackhole\" }";
    }
    return spec("\"routes\": [ " + list + " ]");
  }

  /// What start() puts before the program and its arguments; it has to become the program.
  void start_through(std::vector<std::string> launcher) { launcher_ = std::move(launcher); }
  /// Starts the program on `source`, which is the directory of the spec if not given.
  void start(const std::string& interval = "60s", std::string source = {},
             const std::vector<std::string>& options = {}) {
    if (source.empty()) source = directory();
    std::vector<std::string> words = launcher_;
    words.insert(words.end(),
                 {PLUMBLINE_BINARY, "run", source, "--interval", interval, "--log-level", "debug"});
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log_path().c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int error =
        posix_spawnp(&pid_, arguments.front(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ASSERT_EQ(error, 0) << std::strerror(error);
  }
  /// start(), and waits for the first pass to have led to what the spec says.
  void start_and_converge(const std::string& interval = "60s", const std::string& source = {},
                          const std::vector<std::string>& options = {}) {
    start(interval, source, options);
    ASSERT_TRUE(soon(
        "ready", [&] { return logged("ready: "); }, patiently));
  }

  /// Its exit status; 128 and the signal when one ended it.
  int stop(int signal) {
    ::kill(pid_, signal);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool is_running() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }

  [[nodiscard]] std::string log() const {
    std::ostringstream text;
    text << std::ifstream(log_path()).rdbuf();
    return text.str();
  }
  [[nodiscard]] bool logged(const std::string& words) const { return times_logged(words) != 0; }
  [[nodiscard]] int times_logged(const std::string& words) const {
    const std::string text = log();
    int times = 0;
    for (std::size_t at = text.find(words); at != std::string::npos;
         at = text.find(words, at + 1)) {
      ++times;
    }
    return times;
  }

  /// Whether the words are in what ip(8) prints.
  static bool ip_shows(const std::string& command, const std::string& words) {
    return test::run({"sh", "-c", "ip " + command}).output.find(words) != std::string::npos;
  }
  static bool has_route(const std::string& network) {
    return ip_shows("-4 route show", "blackhole " + network);
  }

 private:
  [[nodiscard]] std::filesystem::path log_path() const { return home_ / "log"; }

  std::filesystem::path home_;
  std::vector<std::string> launcher_;
  pid_t pid_ = -1;
};

}  // namespace plumbline::daemon
