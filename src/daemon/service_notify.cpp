#include "service_notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace plumbline::daemon {

ServiceNotify::ServiceNotify(std::string_view socket) : address_(socket) {
  const bool known = socket.starts_with('/') || socket.starts_with('@');
  if (!known || socket.size() > sizeof(sockaddr_un::sun_path)) {
    address_.clear();
    return;
  }
  if (address_.front() == '@') address_.front() = '\0';
  descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

ServiceNotify::~ServiceNotify() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string ServiceNotify::socket_from_environment() {
  const char* value = std::getenv("NOTIFY_SOCKET");
  std::string socket = value == nullptr ? "" : value;
  ::unsetenv("NOTIFY_SOCKET");
  return socket;
}

bool ServiceNotify::deliver() {
  if (pending_ready_ && !send("READY=1")) return false;
  pending_ready_ = false;
  if (!pending_status_.empty() && !send(pending_status_)) return false;
  pending_status_.clear();
  return true;
}

bool ServiceNotify::send(const std::string& message) const {
  if (descriptor_ < 0) return true;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // The cast is how bind(2) and its like take any address family.
  const ssize_t size = ::sendto(descriptor_, message.data(), message.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&to), length);
  return size >= 0 || (errno != EAGAIN && errno != ENOBUFS && errno != EINTR);
}

}  // namespace plumbline::daemon
