// Lines for a descriptor that is somebody else's too, written by a thread of its own: whoever logs
// never waits for whoever reads, be it a full pipe, a slow terminal, a stuck socket or a dead disk.
//
// What is not read in time is dropped, counted, and told once there is a reader again. The
// descriptor stays as it is: O_NONBLOCK would be set for the shell that shares it as well. It knows
// no levels and no time.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace plumbline::daemon {

class LogWriter {
 public:
  /// Makes the line that says how many were dropped. Called by both threads, one at a time.
  using TellDropped = std::function<std::string(std::size_t)>;

  /// Holds no more than `most` bytes of lines that were not written yet.
  LogWriter(int descriptor, std::size_t most, TellDropped tell_dropped);
  /// Gives what is left a moment, and then leaves it.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// With its line feed. Does not wait.
  void add(std::string line);

 private:
  struct Queue;
  std::shared_ptr<Queue> queue_;  ///< the thread's too: it may outlive us
};

}  // namespace plumbline::daemon
