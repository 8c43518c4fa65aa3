// A supervisor's end of sd_notify(3)'s protocol.

#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

namespace plumbline::daemon {

class Listener {
 public:
  /// `name` as in NOTIFY_SOCKET: a path, or `@name` for an abstract socket.
  explicit Listener(std::string name) {
    if (name.front() == '@') name.front() = '\0';
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    const int bound = ::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), length);
    EXPECT_EQ(bound, 0) << std::strerror(errno);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { ::close(descriptor_); }

  /// The next message, or nothing when there is none.
  std::string heard() {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    return size < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(size));
  }

 private:
  int descriptor_ = -1;
};

}  // namespace plumbline::daemon
