#include "tests/support/stream.hpp"

#include <stdexcept>

namespace plumbline::test {

Stream::Stream(const Station& from, const std::vector<Packet>& packets, int per_second) {
  std::vector<std::string> bytes;
  for (const Packet& packet : packets) bytes.push_back(from.bytes_of(packet));
  sender_ = std::thread([this, &from, bytes = std::move(bytes), per_second] {
    go_first();
    send_all(from, bytes, per_second);
  });
}

void Stream::send_all(const Station& from, const std::vector<std::string>& packets,
                      int per_second) {
  while (sending_) {
    const auto elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
    const auto due = static_cast<std::uint64_t>(elapsed * per_second);
    for (; tried_ < due && sending_; ++tried_) {
      bool taken = true;
      for (const std::string& packet : packets) taken = from.send(packet) && taken;
      if (taken) ++sent_;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
}

void Stream::run_for(std::uint64_t packets) const {
  const std::uint64_t wanted = sent_ + packets;
  const auto end = Clock::now() + std::chrono::seconds(60);
  while (sent_ < wanted) {
    if (Clock::now() > end) throw std::runtime_error("nothing can be sent");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void Stream::stop() {
  if (!sender_.joinable()) return;
  sending_ = false;
  sender_.join();
  end_ = Clock::now();
}

double Stream::per_second() const {
  const Clock::time_point end = end_.load();
  const auto until = end == Clock::time_point() ? Clock::now() : end;
  return static_cast<double>(tried_) / std::chrono::duration<double>(until - start_).count();
}

}  // namespace plumbline::test
