// `plumbline run`: stands watch over the files and the kernel, and passes when a hint says so.
//
// One thread. A pass is plain calls from its beginning to its end; what happens meanwhile waits in
// the kernel's queues and leads to another pass. Nothing here decides what to change: that is the
// plan's, as for `apply`. docs/operating.md tells an operator what this does and logs.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "plumbline/engine/pass.hpp"
#include "plumbline/io/kernel_events.hpp"

namespace plumbline::daemon {

enum class LogLevel : std::uint8_t { error, warning, info, debug };

struct RunOptions {
  std::vector<std::string> sources;  ///< files and directories; not `-`, which cannot be watched
  std::chrono::milliseconds interval = std::chrono::seconds(60);
  LogLevel log_level = LogLevel::info;
  bool colour = false;               ///< log lines go to standard error
  std::vector<Diagnostic> warnings;  ///< from before, to be logged
};

/// Returns when SIGTERM or SIGINT came, after the pass in progress: 0. Acts on the network
/// namespace of the calling thread, of which `events` tells. Throws io::HostError when it cannot
/// begin to watch.
[[nodiscard]] int run(const RunOptions& options, const engine::Context& context, io::Events& events,
                      FileReader& files);

}  // namespace plumbline::daemon
