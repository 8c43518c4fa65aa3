#include "tests/support/flood.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <future>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "tests/support/netns.hpp"

namespace plumbline::test {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t burst = 4;  ///< packets in one call, half of them to each port
constexpr std::uint64_t most_in_flight = 64;
/// Between bursts: a processor that does nothing but send leaves the rewriting none.
constexpr std::chrono::microseconds pause{200};
/// Packets that did not arrive in that time are not waited for any more.
constexpr std::chrono::milliseconds given_up{20};
constexpr std::chrono::seconds last_wait{5};

sockaddr_in at_port(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  return address;
}

sockaddr_in here(std::uint16_t port) {
  sockaddr_in address = at_port(port);
  inet_pton(AF_INET, "10.99.0.1", &address.sin_addr);
  return address;
}

int udp_socket() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "UDP socket");
  return fd;
}

int listening_on(std::uint16_t port) {
  const int fd = udp_socket();
  const int room = 16 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  const sockaddr_in address = at_port(port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), "bind");
  }
  return fd;
}

std::uint64_t received_from(int fd) {
  std::array<char, 64> buffer;
  std::uint64_t count = 0;
  while (recv(fd, buffer.data(), buffer.size(), 0) >= 0) ++count;
  return count;
}

/// What the device of the calling thread's namespace could not send.
std::uint64_t drops_of(const std::string& device) {
  std::ifstream file("/proc/thread-self/net/dev");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(device + ":");
    if (colon == std::string::npos) continue;
    std::istringstream fields(line.substr(colon + device.size() + 1));
    std::uint64_t value = 0;
    // Eight of reception, then bytes, packets, errors and drops.
    for (int i = 0; i < 12; ++i) fields >> value;
    return value;
  }
  return 0;
}

/// Packets ready to be sent again and again, to both ports in turn.
class Burst {
 public:
  Burst() {
    for (std::size_t i = 0; i < burst; ++i) {
      msghdr& header = messages_[i].msg_hdr;
      header.msg_name = &addresses_[i % 2];
      header.msg_namelen = sizeof addresses_[0];
      header.msg_iov = &payload_;
      header.msg_iovlen = 1;
    }
  }
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;

  void send(int fd) {
    unsigned done = 0;
    while (done < burst) {
      const int count = sendmmsg(fd, messages_.data() + done, burst - done, 0);
      if (count > 0) done += static_cast<unsigned>(count);
      if (count < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EINTR) {
        throw std::system_error(errno, std::generic_category(), "sendmmsg");
      }
    }
  }

 private:
  std::array<sockaddr_in, 2> addresses_{here(Flood::good_port), here(Flood::bad_port)};
  std::array<char, 16> text_{};
  iovec payload_{text_.data(), text_.size()};
  std::array<mmsghdr, burst> messages_{};
};

/// Moves the calling thread into a namespace of its own, linked to the other one.
void link_to(const std::string& target) {
  if (const std::string why_not = enter_new_netns(); !why_not.empty()) {
    throw std::runtime_error(why_not);
  }
  ip("link add there0 address 02:00:00:00:99:02 type veth peer name here0 address "
     "02:00:00:00:99:01 netns " +
     target);
  ip("address add 10.99.0.2/24 dev there0");
  ip("link set there0 up");
  ip("neighbour add 10.99.0.1 lladdr 02:00:00:00:99:01 dev there0 nud permanent");
}

}  // namespace

Flood::Flood() : good_(listening_on(good_port)), bad_(listening_on(bad_port)) {
  const std::string target = "/proc/" + std::to_string(getpid()) + "/task/" +
                             std::to_string(syscall(SYS_gettid)) + "/ns/net";
  std::promise<void> linked;
  std::promise<bool> go;
  sender_ = std::thread([&, target] {
    try {
      link_to(target);
      linked.set_value();
    } catch (...) {
      linked.set_exception(std::current_exception());
      return;
    }
    if (go.get_future().get()) send_all();
  });
  try {
    linked.get_future().get();
    ip("address add 10.99.0.1/24 dev here0");
    ip("link set here0 up");
  } catch (...) {
    go.set_value(false);
    sender_.join();
    throw;
  }
  receiver_ = std::thread([this] { receive_all(); });
  go.set_value(true);
}

Flood::~Flood() {
  if (sender_.joinable()) stop();
  close(good_);
  close(bad_);
}

void Flood::send_all() {
  const int fd = udp_socket();
  Burst packets;
  std::uint64_t missed = 0;
  auto last_sent = steady_clock::now();
  while (sending_) {
    const auto now = steady_clock::now();
    const std::uint64_t not_here = sent_ - arrived_;
    if (not_here < most_in_flight + missed) {
      packets.send(fd);
      sent_ += burst / 2;
      last_sent = now;
    } else if (now - last_sent > given_up) {
      missed = not_here;
    }
    std::this_thread::sleep_for(pause);
  }
  close(fd);
  no_room_ = drops_of("there0");
}

void Flood::receive_all() {
  while (receiving_) {
    std::array<pollfd, 2> polled{pollfd{good_, POLLIN, 0}, pollfd{bad_, POLLIN, 0}};
    poll(polled.data(), polled.size(), 10);
    arrived_ += received_from(good_);
    leaked_ += received_from(bad_);
  }
}

Flood::Tally Flood::stop() {
  sending_ = false;
  sender_.join();
  const auto end = steady_clock::now() + last_wait;
  while (arrived_ < sent_ && steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  receiving_ = false;
  receiver_.join();
  return {sent(), sent_ - arrived_, leaked_, no_room_};
}

}  // namespace plumbline::test
