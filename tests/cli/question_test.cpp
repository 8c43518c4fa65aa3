// The question before a change, answered on a terminal: what happens while it stands.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "plumbline/engine/ledger_file.hpp"
#include "tests/support/netns.hpp"

extern char** environ;

namespace plumbline::test {
namespace {

using ::testing::HasSubstr;

/// A person at a terminal, who has time.
class Question : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    bring_up_loopback();
    std::string name = std::filesystem::temp_directory_path() / "plumbline-question-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    terminal_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal_ < 0 || ::grantpt(terminal_) != 0 || ::unlockpt(terminal_) != 0) {
      FAIL() << "no terminal";
    }
  }
  void TearDown() override {
    if (terminal_ >= 0) ::close(terminal_);
    if (!directory_.empty()) {
      std::filesystem::remove_all(directory_);
      std::filesystem::remove_all(engine::state_directory());
    }
    NetnsTest::TearDown();
  }

  std::string spec(const std::string& routes) {
    const std::string path = directory_ / "host.json";
    std::ofstream(path, std::ios::trunc) << R"({"version": 1, "routes": [)" << routes << "]}";
    return path;
  }

  /// Starts the program, does `meanwhile` once it asks, and says yes.
  CommandResult asked(std::vector<std::string> words, const std::function<void()>& meanwhile) {
    words.insert(words.begin(), PLUMBLINE_BINARY);
    const pid_t pid = start(words);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (output().find("[y/N]") == std::string::npos) {
      int status = 0;
      if (::waitpid(pid, &status, WNOHANG) == pid) return {WEXITSTATUS(status), output()};
      if (std::chrono::steady_clock::now() > deadline) ::kill(pid, SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    meanwhile();
    EXPECT_EQ(::write(terminal_, "y\n", 2), 2);
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return {WEXITSTATUS(status), output()};
  }

 private:
  pid_t start(std::vector<std::string>& words) {
    std::filesystem::remove(directory_ / "output");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, ::ptsname(terminal_),
                                     O_RDWR | O_NOCTTY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, (directory_ / "output").c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    pid_t pid = -1;
    const int error =
        posix_spawn(&pid, PLUMBLINE_BINARY, &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(error, 0);
    return pid;
  }
  [[nodiscard]] std::string output() const {
    std::ostringstream text;
    text << std::ifstream(directory_ / "output").rdbuf();
    return text.str();
  }

  std::filesystem::path directory_;
  int terminal_ = -1;
};

const std::string first = R"({"to": "10.9.0.0/16", "type": "blackhole"})";
const std::string second = R"({"to": "10.8.0.0/16", "type": "blackhole"})";

TEST_F(Question, AYesCarriesOutWhatWasShown) {
  const auto nothing = [] {};
  EXPECT_EQ(asked({"apply", spec(first)}, nothing).status, 0);
  EXPECT_EQ(ip("route show"), "blackhole 10.9.0.0/16 proto 112 \n");
  EXPECT_EQ(asked({"destroy"}, nothing).status, 0);
  EXPECT_EQ(ip("route show"), "");
}

TEST_F(Question, ApplyRefusesWhereSomebodyElseMadeTheObjectMeanwhile) {
  const CommandResult answer =
      asked({"apply", spec(first)}, [] { ip("route add unreachable 10.9.0.0/16"); });
  EXPECT_EQ(answer.status, 4);
  EXPECT_THAT(answer.output, HasSubstr("STALE_PLAN: the host changed meanwhile"));
  EXPECT_EQ(ip("route show"), "unreachable 10.9.0.0/16 \n");
}

TEST_F(Question, ApplyRefusesWhereWhatWasShownIsNoLongerAllThatIsToDo) {
  must_run({PLUMBLINE_BINARY, "apply", "--yes", spec(first + ", " + second)});
  const CommandResult answer =
      asked({"apply", spec(first)}, [] { ip("route del blackhole 10.9.0.0/16"); });
  EXPECT_EQ(answer.status, 4);
  EXPECT_THAT(answer.output, HasSubstr("STALE_PLAN"));
  EXPECT_EQ(ip("route show"), "blackhole 10.8.0.0/16 proto 112 \n") << "nothing was changed";
}

TEST_F(Question, DestroyRefusesWhereThereIsMoreOfOursThanWasShown) {
  must_run({PLUMBLINE_BINARY, "apply", "--yes", spec(first)});
  const CommandResult answer =
      asked({"destroy"}, [] { ip("route add blackhole 10.8.0.0/16 proto 112"); });
  EXPECT_EQ(answer.status, 4);
  EXPECT_THAT(answer.output, HasSubstr("STALE_PLAN"));
  EXPECT_THAT(ip("route show"), HasSubstr("blackhole 10.9.0.0/16"));
}

TEST_F(Question, AdoptRefusesWhereTheObjectIsAnotherMeanwhile) {
  ip("route add blackhole 10.9.0.0/16");
  const CommandResult answer = asked({"adopt", "route inet main 10.9.0.0/16"},
                                     [] { ip("route replace unreachable 10.9.0.0/16"); });
  EXPECT_EQ(answer.status, 4);
  EXPECT_THAT(answer.output, HasSubstr("STALE_PLAN"));
  EXPECT_EQ(ip("route show"), "unreachable 10.9.0.0/16 \n");
}

}  // namespace
}  // namespace plumbline::test
