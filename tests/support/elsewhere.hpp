// Another network namespace beside that of a test.

#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace plumbline::test {

/// A process in a network namespace of its own, ended with this.
class Elsewhere {
 public:
  /// Returns when the process is there.
  Elsewhere();
  ~Elsewhere();
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;

  [[nodiscard]] pid_t pid() const { return child_; }
  [[nodiscard]] std::string path() const { return "/proc/" + std::to_string(child_) + "/ns/net"; }
  /// What ip(8) says there; its output whether or not it succeeds.
  [[nodiscard]] std::string ip(std::string_view arguments) const;

 private:
  pid_t child_;
};

}  // namespace plumbline::test
