#include "tests/support/netns.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <system_error>

extern char** environ;

namespace plumbline::test {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Which network namespace the calling thread is in.
ino_t present_netns() {
  struct stat file {};
  if (stat("/proc/thread-self/ns/net", &file) != 0) fail("/proc/thread-self/ns/net");
  return file.st_ino;
}

const ino_t netns_at_start = present_netns();

/// Both ends of a pipe, closed on exec and on every way out.
struct Pipe {
  std::array<int, 2> ends{-1, -1};

  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2");
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(std::size_t which) {
    if (ends[which] >= 0) close(ends[which]);
    ends[which] = -1;
  }
};

/// Feeds and drains both pipes at once, so that neither side waits for the other for ever.
std::string converse(Pipe& in, Pipe& out, std::string_view input) {
  std::string output;
  fcntl(in.ends[1], F_SETFL, O_NONBLOCK);
  // A program whose output goes to a file closes ours before it has read.
  while (out.ends[0] >= 0 || in.ends[1] >= 0) {
    if (input.empty()) in.close_end(1);
    if (out.ends[0] < 0 && in.ends[1] < 0) break;
    std::array<pollfd, 2> polled{pollfd{out.ends[0], POLLIN, 0}, pollfd{in.ends[1], POLLOUT, 0}};
    if (poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) fail("poll");
    if (polled[1].revents != 0) {
      const ssize_t written = write(in.ends[1], input.data(), input.size());
      if (written > 0) input.remove_prefix(static_cast<std::size_t>(written));
      if (written < 0 && errno != EAGAIN) input = {};  // it reads no more
    }
    if (polled[0].revents != 0) {
      std::array<char, 65536> buffer;
      const ssize_t count = read(out.ends[0], buffer.data(), buffer.size());
      if (count > 0) output.append(buffer.data(), static_cast<std::size_t>(count));
      if (count == 0 || (count < 0 && errno != EAGAIN)) out.close_end(0);
    }
  }
  return output;
}

}  // namespace

std::string enter_new_netns() {
  if (unshare(CLONE_NEWNET) == 0) return {};
  return std::string("no network namespace can be made here: ") + std::strerror(errno);
}

void insist_on_own_netns() {
  if (present_netns() == netns_at_start) throw std::logic_error("not in a namespace of the test's");
}

void bring_up_loopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const int result = ioctl(fd, SIOCSIFFLAGS, &request);
  close(fd);
  if (result != 0) fail("SIOCSIFFLAGS lo");
}

CommandResult run(const std::vector<std::string>& arguments, std::string_view input) {
  Pipe in;
  Pipe out;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.ends[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], 2);
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  // A program that ends without reading must not end the test with it.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  pid_t child = -1;
  const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return {127, arguments.front() + ": " + std::strerror(error)};
  in.close_end(0);
  out.close_end(1);
  CommandResult result;
  result.output = converse(in, out, input);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) fail("waitpid");
  }
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

std::string must_run(const std::vector<std::string>& arguments, std::string_view input) {
  CommandResult result = run(arguments, input);
  if (result.status == 0) return std::move(result.output);
  std::string command;
  for (const auto& argument : arguments) command += argument + ' ';
  throw std::runtime_error(command + "exited with " + std::to_string(result.status) + ": " +
                           result.output);
}

std::string ip(std::string_view arguments) {
  std::vector<std::string> words{"ip"};
  while (!arguments.empty()) {
    const auto end = std::min(arguments.find(' '), arguments.size());
    if (end > 0) words.emplace_back(arguments.substr(0, end));
    arguments.remove_prefix(std::min(end + 1, arguments.size()));
  }
  return must_run(words);
}

void NetnsTest::SetUp() {
  before_ = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (const std::string why_not = enter_new_netns(); !why_not.empty()) GTEST_SKIP() << why_not;
}

void NetnsTest::TearDown() {
  if (before_ < 0) return;
  EXPECT_EQ(setns(before_, CLONE_NEWNET), 0) << std::strerror(errno);
  close(before_);
}

}  // namespace plumbline::test
