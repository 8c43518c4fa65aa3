#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "plumbline/base/number.hpp"
#include "plumbline/engine/ledger.hpp"
#include "plumbline/io/host.hpp"

namespace plumbline::engine {

// flock(2) and not a pid file: it goes with the process, however that ends. The pid in the file is
// for the message only.
std::optional<Lock> Lock::take(const std::filesystem::path& directory, int& holder) {
  const std::string path = directory / "lock";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) throw io::HostError(path + ": " + std::strerror(errno));
  Lock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw io::HostError(path + ": " + std::strerror(errno));
    char text[16] = {};
    const ssize_t size = pread(descriptor, text, sizeof text, 0);
    holder =
        parse_number<int>({text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))}).value_or(0);
    return std::nullopt;
  }
  const std::string pid = std::to_string(getpid());
  const bool written = ftruncate(descriptor, 0) == 0 &&
                       pwrite(descriptor, pid.data(), pid.size(), 0) == std::ssize(pid);
  if (!written) throw io::HostError(path + ": " + std::strerror(errno));
  return lock;
}

Lock::Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Lock& Lock::operator=(Lock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Lock::~Lock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace plumbline::engine
