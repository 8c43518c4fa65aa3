// A UDP port of the host, which is the test's network namespace: what arrives there, and what the
// kernel says of what it sends.

#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "plumbline/base/ip.hpp"
#include "plumbline/io/descriptor.hpp"

namespace plumbline::test {

class HostPort {
 public:
  /// Of every address of the host.
  explicit HostPort(std::uint16_t port)
      : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in own = address_of(IpAddress::parse("0.0.0.0").value(), port);
    check("bind", bind(socket_.get(), reinterpret_cast<sockaddr*>(&own), sizeof own));
  }

  /// Since the last time.
  [[nodiscard]] int arrived() const {
    std::array<char, 64> buffer;
    int count = 0;
    while (recv(socket_.get(), buffer.data(), buffer.size(), 0) >= 0) ++count;
    return count;
  }

  /// A flow to there, with one datagram.
  void speak_to(const IpAddress& peer, std::uint16_t port) const {
    sockaddr_in there = address_of(peer, port);
    check("connect", connect(socket_.get(), reinterpret_cast<sockaddr*>(&there), sizeof there));
    check("send", static_cast<int>(send(socket_.get(), "x", 1, 0)));
  }
  /// An errno since the last time, or 0.
  [[nodiscard]] int error() const {
    int error = 0;
    socklen_t size = sizeof error;
    check("getsockopt", getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size));
    return error;
  }

 private:
  static sockaddr_in address_of(const IpAddress& ip, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    std::memcpy(&address.sin_addr, ip.bytes().data(), sizeof address.sin_addr);
    return address;
  }
  static void check(const char* what, int result) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  }

  io::Descriptor socket_;
};

}  // namespace plumbline::test
