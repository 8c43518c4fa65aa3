// `plumbline run` at work in the namespace of the test, on a spec of its own.

#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

extern char** environ;

namespace plumbline::test {

class Watching {
 public:
  /// Returns when the first pass is through; throws, with the log, when it does not come.
  explicit Watching(const std::string& spec) {
    std::string name = std::filesystem::temp_directory_path() / "plumbline-watching-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    home_ = name;
    std::ofstream(home_ / "spec.json") << spec;
    start();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (log().find("ready: ") == std::string::npos) {
      if (std::chrono::steady_clock::now() > end) {
        const std::string words = log();
        stop();
        throw std::runtime_error("not ready:\n" + words);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;
  ~Watching() { stop(); }

  [[nodiscard]] std::string log() const {
    std::ostringstream text;
    text << std::ifstream(home_ / "log").rdbuf();
    return text.str();
  }

 private:
  void start() {
    const std::string spec = home_ / "spec.json";
    const std::string log = home_ / "log";
    // Long, so that nothing but an event can be what leads to a pass.
    const char* const arguments[] = {PLUMBLINE_BINARY, "run", spec.c_str(),
                                     "--interval",     "1h",  nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int error = posix_spawn(&pid_, PLUMBLINE_BINARY, &actions, nullptr,
                                  const_cast<char**>(arguments), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error("plumbline cannot be started");
  }
  void stop() {
    if (pid_ > 0) {
      kill(pid_, SIGTERM);
      while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
    pid_ = -1;
    std::filesystem::remove_all(home_);
  }

  std::filesystem::path home_;
  pid_t pid_ = -1;
};

}  // namespace plumbline::test
