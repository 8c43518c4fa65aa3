#include "plumbline/engine/lock.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "plumbline/base/number.hpp"

namespace plumbline::engine {

namespace {

/// Two seconds in all.
constexpr int most_turns = 100;
constexpr std::chrono::milliseconds turn_time{20};

int holder_of(int descriptor) {
  char text[16] = {};
  const ssize_t size = pread(descriptor, text, sizeof text, 0);
  const std::string_view digits(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return parse_number<int>(digits).value_or(0);
}

/// A process that was killed may leave a child behind for a moment, which it had started for
/// iptables: that shares the lock until it is executed or has followed its parent
/// (PR_SET_PDEATHSIG).
bool is_gone(int holder) { return holder > 0 && kill(holder, 0) != 0 && errno == ESRCH; }

}  // namespace

// flock(2) and not a pid file: it goes with the process, however that ends. The pid in the file is
// for the message only.
std::optional<Lock> Lock::take(const std::filesystem::path& directory, int& holder) {
  const std::string path = directory / "lock";
  io::Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) io::give_up(path, errno);
  for (int turn = 0; flock(file.get(), LOCK_EX | LOCK_NB) != 0; ++turn) {
    if (errno != EWOULDBLOCK) io::give_up(path, errno);
    holder = holder_of(file.get());
    // Who has just taken it has not written its pid yet: the file is empty, or has an old one.
    const bool known = holder != 0 && !is_gone(holder);
    if (turn == most_turns || known) return std::nullopt;
    std::this_thread::sleep_for(turn_time);
  }
  const std::string pid = std::to_string(getpid());
  const bool written = ftruncate(file.get(), 0) == 0 &&
                       pwrite(file.get(), pid.data(), pid.size(), 0) == std::ssize(pid);
  if (!written) io::give_up(path, errno);
  return Lock(std::move(file));
}

}  // namespace plumbline::engine
