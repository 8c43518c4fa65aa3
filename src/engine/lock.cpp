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
#include "plumbline/io/private_files.hpp"

namespace plumbline::engine {

namespace {

/// Two seconds in all.
constexpr int most_turns = 100;
constexpr std::chrono::milliseconds turn_time{20};

int holder_of(int descriptor) {
  char text[16] = {};
  const ssize_t size = pread(descriptor, text, sizeof text, 0);
  const std::string_view read(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return parse_number<int>(read.substr(0, read.find('\n'))).value_or(0);
}

/// A process that was killed may leave a child behind for a moment, which it had started for
/// iptables: that shares the lock until it is executed or has followed its parent
/// (PR_SET_PDEATHSIG).
bool is_gone(int holder) { return holder > 0 && kill(holder, 0) != 0 && errno == ESRCH; }

constexpr const char* file_name = "lock";

/// The kernel's file of the network namespace itself, which every process in it opens as the same
/// one (fs/nsfs.c). Anybody may lock it, so it is for when there is no file that only root can.
io::Descriptor namespace_file() {
  constexpr const char* path = "/proc/thread-self/ns/net";
  io::Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file) io::give_up(path, errno);
  return file;
}

bool is_held(const io::Descriptor& file, const std::string& what) {
  if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return false;
  if (errno != EWOULDBLOCK) io::give_up(what, errno);
  return true;
}

/// Whether it was taken. Waits for a holder that is about to say who it is, or to go.
bool take_file(const io::Descriptor& file, const std::string& what, int& holder) {
  for (int turn = 0; is_held(file, what); ++turn) {
    holder = holder_of(file.get());
    // Who has just taken it has not written its pid yet: the file is empty, or has an old one.
    const bool known = holder != 0 && !is_gone(holder);
    if (turn == most_turns || known) return false;
    std::this_thread::sleep_for(turn_time);
  }
  return true;
}

/// The pid is for the message of others only, so a full disk is no reason not to have the lock.
/// Over the old one first: that needs no room.
void write_pid(const io::Descriptor& file) {
  const std::string line = std::to_string(getpid()) + "\n";
  const bool written = pwrite(file.get(), line.data(), line.size(), 0) == std::ssize(line);
  static_cast<void>(!ftruncate(file.get(), written ? std::ssize(line) - 1 : 0));
}

}  // namespace

// flock(2) and not a pid file: it goes with the process, however that ends.
std::optional<Lock> Lock::take(const std::filesystem::path& directory, int& holder) {
  while (true) {
    std::optional<io::PrivateDirectory> place;
    io::Descriptor file;
    try {
      place = io::PrivateDirectory::make(directory);
      file = place->lock_file(file_name);
    } catch (const io::NotPrivate&) {
      throw;
    } catch (const io::HostError& error) {
      // Whoever can open the file has that one: two locks would let two work at once.
      if (io::is_shortage(error.error)) throw;
      return of_namespace(holder);
    }
    if (!take_file(file, (directory / file_name).string(), holder)) return std::nullopt;
    // It may have been removed between opening and locking it: then others have another one.
    if (!place->names(file_name, file)) continue;
    write_pid(file);
    return Lock(std::move(file));
  }
}

std::optional<Lock> Lock::of_namespace(int& holder) {
  io::Descriptor file = namespace_file();
  holder = 0;
  if (is_held(file, "the network namespace")) return std::nullopt;
  return Lock(std::move(file));
}

}  // namespace plumbline::engine
