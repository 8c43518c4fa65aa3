#include "log_writer.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

namespace plumbline::daemon {

namespace {

/// Of a daemon that was told to end.
constexpr std::chrono::milliseconds last_moment{500};

/// What could not be written of `text`.
std::string_view write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(descriptor, text.data(), text.size());
    if (size >= 0) {
      text.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno == EAGAIN) {
      // Somebody who shares it has made it non-blocking.
      pollfd waiting{descriptor, POLLOUT, 0};
      static_cast<void>(::poll(&waiting, 1, -1));
    } else if (errno != EINTR) {
      break;
    }
  }
  return text;
}

}  // namespace

struct LogWriter::Queue {
  struct Line {
    std::string text;
    std::size_t stands_for = 1;  ///< lines that are lost when it cannot be written
  };

  int descriptor = -1;
  std::size_t most = 0;
  TellDropped tell_dropped;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Line> lines;
  std::size_t bytes = 0;
  std::size_t dropped = 0;  ///< that no line tells of yet
  bool ending = false;
  bool ended = false;

  void push(Line line) {
    bytes += line.text.size();
    lines.push_back(std::move(line));
  }
  void push_dropped() {
    if (dropped == 0) return;
    const std::size_t count = std::exchange(dropped, 0);
    push({tell_dropped(count), count});
  }

  /// The thread: until there is nothing more to write, and will not be.
  void write_lines() {
    std::unique_lock lock(mutex);
    bool torn = false;
    while (true) {
      changed.wait(lock, [this] { return !lines.empty() || ending; });
      if (lines.empty()) break;
      const Line line = std::move(lines.front());
      lines.pop_front();
      lock.unlock();
      const std::string text = torn ? "\n" + line.text : line.text;
      const std::size_t left = write_all(descriptor, text).size();
      lock.lock();
      bytes -= line.text.size();
      torn = left == text.size() ? torn : left != 0;
      // After a failure nothing is tried before there is another line: it might fail for ever.
      if (left != 0) {
        dropped += line.stands_for;
      } else if (lines.empty()) {
        push_dropped();
      }
    }
    ended = true;
    changed.notify_all();
  }
};

LogWriter::LogWriter(int descriptor, std::size_t most, TellDropped tell_dropped)
    : queue_(std::make_shared<Queue>()) {
  queue_->descriptor = descriptor;
  queue_->most = most;
  queue_->tell_dropped = std::move(tell_dropped);
  // Signals are for the thread that waits for them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([queue = queue_] { queue->write_lines(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LogWriter::~LogWriter() {
  std::unique_lock lock(queue_->mutex);
  queue_->push_dropped();
  queue_->ending = true;
  queue_->changed.notify_all();
  queue_->changed.wait_for(lock, last_moment, [this] { return queue_->ended; });
}

void LogWriter::add(std::string line) {
  const std::lock_guard lock(queue_->mutex);
  if (queue_->bytes + line.size() > queue_->most) {
    ++queue_->dropped;
    return;
  }
  queue_->push_dropped();
  queue_->push({std::move(line)});
  queue_->changed.notify_all();
}

}  // namespace plumbline::daemon
