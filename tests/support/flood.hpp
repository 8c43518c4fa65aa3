// UDP packets from a namespace of their own into the one of the test, and how many came through.
//
// Half of them go to a port that must pass and half to one that must not. The sender keeps few
// packets in flight, so that a packet that is missing was dropped by the firewall and by no queue.

#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace plumbline::test {

class Flood {
 public:
  static constexpr std::uint16_t good_port = 7001;
  static constexpr std::uint16_t bad_port = 7002;

  /// Makes the other namespace and the link to it, `here0` on this side, and starts the flood
  /// into the namespace of the calling thread. Throws when something of it cannot be made.
  Flood();
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;
  ~Flood();

  struct Tally {
    std::uint64_t sent = 0;     ///< to both ports
    std::uint64_t lost = 0;     ///< to the good port, and did not arrive
    std::uint64_t leaked = 0;   ///< to the bad port, and did arrive
    std::uint64_t no_room = 0;  ///< dropped by the link before any firewall saw them
  };

  /// Packets sent so far.
  [[nodiscard]] std::uint64_t sent() const { return 2 * sent_; }
  /// Ends the flood and waits for what is under way.
  Tally stop();

 private:
  void send_all();
  void receive_all();

  int good_;
  int bad_;
  std::atomic<std::uint64_t> sent_ = 0;  ///< to each port
  std::atomic<std::uint64_t> arrived_ = 0;
  std::atomic<std::uint64_t> leaked_ = 0;
  std::uint64_t no_room_ = 0;
  std::atomic<bool> sending_ = true;
  std::atomic<bool> receiving_ = true;
  std::thread sender_;
  std::thread receiver_;
};

}  // namespace plumbline::test
