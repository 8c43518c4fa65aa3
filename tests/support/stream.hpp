// Packets from a station without end, while a test does something else.

#pragma once

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/support/station.hpp"

namespace plumbline::test {

/// Sends packets over and over from a thread of its own, each `per_second` times a second.
class Stream {
 public:
  Stream(const Station& from, const std::vector<Packet>& packets, int per_second = 1500);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { stop(); }

  /// How often each was sent and taken by the kernel.
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  /// Waits until each was sent that much more.
  void run_for(std::uint64_t packets) const;
  /// Ends it; nothing is sent any more.
  void stop();
  /// How often each was tried to be sent, from the start up to now or to the end: while the
  /// interface is down nothing is taken.
  [[nodiscard]] double per_second() const;

 private:
  using Clock = std::chrono::steady_clock;

  void send_all(const Station& from, const std::vector<std::string>& packets, int per_second);

  std::atomic<std::uint64_t> sent_ = 0;
  std::atomic<std::uint64_t> tried_ = 0;
  std::atomic<bool> sending_ = true;
  Clock::time_point start_ = Clock::now();
  std::atomic<Clock::time_point> end_ = Clock::time_point();
  std::thread sender_;
};

}  // namespace plumbline::test
