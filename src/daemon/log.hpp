// The daemon's log, on standard error. A header of the daemon's sources alone: spdlog is slow to
// compile.

#pragma once

#include <spdlog/spdlog.h>

#include "plumbline/daemon/daemon.hpp"

namespace plumbline::daemon {

/// Makes spdlog's default logger ours.
void open_log(LogLevel level, bool colour);

}  // namespace plumbline::daemon
