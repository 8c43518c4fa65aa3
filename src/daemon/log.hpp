// The daemon's log, on standard error. A header of the daemon's sources alone: spdlog is slow to
// compile.

#pragma once

#include <spdlog/spdlog.h>

#include "plumbline/daemon/daemon.hpp"

namespace plumbline::daemon {

/// While it is there, spdlog's default logger is ours, and never makes who logs wait.
class Log {
 public:
  Log(LogLevel level, bool colour);
  ~Log() { spdlog::shutdown(); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
};

}  // namespace plumbline::daemon
