#include "plumbline/daemon/service_notify.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace plumbline::daemon {
namespace {

/// A supervisor's end: receives what is said to `name`, a path or `@abstract`.
class Listener {
 public:
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

  std::string heard() {
    std::array<char, 512> buffer{};
    const ssize_t size = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    return size < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(size));
  }

 private:
  int descriptor_ = -1;
};

void says_everything_to(const std::string& name) {
  Listener listener(name);
  ServiceNotify notify(name);
  notify.ready();
  notify.status("converged");
  notify.stopping();
  EXPECT_EQ(listener.heard(), "READY=1");
  EXPECT_EQ(listener.heard(), "STATUS=converged");
  EXPECT_EQ(listener.heard(), "STOPPING=1");
}

TEST(ServiceNotify, SpeaksToASocketInTheFileSystem) {
  const std::string path = testing::TempDir() + "notify-" + std::to_string(::getpid());
  std::filesystem::remove(path);
  says_everything_to(path);
  std::filesystem::remove(path);
}

TEST(ServiceNotify, SpeaksToAnAbstractSocket) {
  says_everything_to("@plumbline-test-" + std::to_string(::getpid()));
}

TEST(ServiceNotify, IsSilentWhenNobodyListens) {
  for (const std::string& name : {std::string(), std::string("relative"),
                                  "/" + std::string(200, 'x'), std::string("/gone")}) {
    ServiceNotify notify(name);
    notify.ready();
    notify.stopping();
  }
}

TEST(ServiceNotify, TakesTheVariableOutOfTheEnvironment) {
  ::setenv("NOTIFY_SOCKET", "/run/somewhere", 1);
  EXPECT_EQ(ServiceNotify::socket_from_environment(), "/run/somewhere");
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_EQ(ServiceNotify::socket_from_environment(), "");
}

}  // namespace
}  // namespace plumbline::daemon
