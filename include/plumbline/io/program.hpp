// Runs one program and waits for it: no shell, nothing inherited, everything bounded.

#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/io/namespace.hpp"

namespace plumbline::io {

/// Its path where programs of the system may be, never along a PATH that somebody set; empty when
/// it is not installed. Throws HostError where that cannot be told.
[[nodiscard]] std::string find_program(std::string_view name);

struct Command {
  std::string path;  ///< absolute
  std::vector<std::string> arguments;
  std::string_view input;                      ///< its standard input
  const NetworkNamespace* where = nullptr;     ///< the calling thread's when null
  std::chrono::milliseconds deadline{60'000};  ///< after it the program is killed
  std::size_t most_output = std::size_t{256} << 20U;
  std::size_t most_errors = std::size_t{64} << 10U;  ///< of standard error; what is beyond is lost
};

struct Finished {
  int status = 0;        ///< its exit status, or 128 and the signal that ended it
  int killed_by = 0;     ///< that signal
  bool expired = false;  ///< killed at the deadline
  bool flooded = false;  ///< killed, as it wrote more than most_output
  std::string output;
  std::string errors;

  [[nodiscard]] bool succeeded() const { return status == 0 && !expired && !flooded; }
};

/// Its environment is PATH and LC_ALL=C; its directory is `/`, its umask 077; it has no terminal
/// and no descriptor of ours, and dies with the calling thread. Throws HostError when it cannot be
/// started.
[[nodiscard]] Finished run_program(const Command& command);

}  // namespace plumbline::io
