#include "plumbline/io/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "plumbline/io/host.hpp"

namespace plumbline::io {

namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) give_up("cannot make a pipe", errno);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// A file in memory that holds the whole input: nothing is left to be written, to whom or when.
Descriptor make_input(std::string_view input) {
  Descriptor file(memfd_create("input", MFD_CLOEXEC));
  if (!file) give_up("cannot make a file in memory", errno);
  while (!input.empty()) {
    const ssize_t size = write(file.get(), input.data(), input.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) give_up("cannot write to a file in memory", errno);
    input.remove_prefix(static_cast<std::size_t>(size));
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) give_up("cannot rewind a file in memory", errno);
  return file;
}

/// All that the child needs, made before fork(): behind it only async-signal-safe calls are allowed
/// (man 7 signal-safety), as another thread may hold any lock.
struct Child {
  const char* path;
  char* const* arguments;
  char* const* environment;
  int input;
  int output;
  int errors;
  int failure;  ///< takes the errno of what could not be done; closed by execve()
  int network;  ///< a namespace, or -1
  pid_t parent;
};

[[noreturn]] void fail_child(const Child& child) {
  const int error = errno;
  static_cast<void>(!write(child.failure, &error, sizeof error));
  _exit(127);
}

void forget_signals() {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &by_default, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void become(const Child& child) {
  forget_signals();
  // A session of its own: a Ctrl-C meant for us does not end it in the middle of its work.
  if (setsid() < 0) fail_child(child);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail_child(child);
  if (getppid() != child.parent) _exit(127);
  if (child.network >= 0 && setns(child.network, CLONE_NEWNET) != 0) fail_child(child);
  umask(077);
  if (chdir("/") != 0) fail_child(child);
  if (dup2(child.input, STDIN_FILENO) < 0 || dup2(child.output, STDOUT_FILENO) < 0 ||
      dup2(child.errors, STDERR_FILENO) < 0) {
    fail_child(child);
  }
  // Whatever somebody else in this process opened without O_CLOEXEC.
  if (syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) != 0) fail_child(child);
  execve(child.path, child.arguments, child.environment);
  fail_child(child);
}

/// The program while it runs. Killed and waited for when this goes.
class Process {
 public:
  explicit Process(pid_t pid) : pid_(pid) {}
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ < 0) return;
    kill();
    static_cast<void>(wait());
  }

  void kill() const { ::kill(-pid_, SIGKILL), ::kill(pid_, SIGKILL); }

  [[nodiscard]] int wait() {
    int status = 0;
    pid_t ended = 0;
    do {
      ended = waitpid(pid_, &status, 0);
    } while (ended < 0 && errno == EINTR);
    pid_ = -1;
    if (ended < 0) return 127;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_;
};

/// Reads what is there. False at the end of the stream.
bool read_some(const Descriptor& from, std::string& into) {
  std::array<char, 65536> buffer;
  const ssize_t size = read(from.get(), buffer.data(), buffer.size());
  if (size < 0) return errno == EINTR || errno == EAGAIN;
  into.append(buffer.data(), static_cast<std::size_t>(size));
  return size != 0;
}

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

void collect(Descriptor output, Descriptor errors, const Command& command, Finished& finished) {
  const auto end = Clock::now() + command.deadline;
  while (output || errors) {
    // poll(2) passes over a negative descriptor.
    std::array<pollfd, 2> watched{{{output.get(), POLLIN, 0}, {errors.get(), POLLIN, 0}}};
    const int ready = poll(watched.data(), watched.size(), milliseconds_until(end));
    if (ready < 0 && errno != EINTR) give_up("cannot wait for a program", errno);
    if (ready == 0) {
      finished.expired = true;
      return;
    }
    if (ready < 0) continue;
    if (watched[0].revents != 0 && !read_some(output, finished.output)) output.close();
    if (watched[1].revents != 0 && !read_some(errors, finished.errors)) errors.close();
    if (finished.errors.size() > command.most_errors) finished.errors.resize(command.most_errors);
    if (finished.output.size() > command.most_output) {
      finished.flooded = true;
      return;
    }
  }
}

/// Waits until the program was executed. Throws when it was not.
void await_start(Pipe& failure, const std::string& path) {
  failure.write_end.close();
  int error = 0;
  ssize_t size = 0;
  do {
    size = read(failure.read_end.get(), &error, sizeof error);
  } while (size < 0 && errno == EINTR);
  if (size == sizeof error) give_up("cannot run " + path, error);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

Finished run_program(const Command& command) {
  if (command.path.empty() || command.path.front() != '/') {
    throw HostError("'" + command.path + "' is no absolute path of a program");
  }
  std::vector<std::string> arguments{command.path};
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
  const auto argument_pointers = pointers(arguments);
  const auto environment_pointers = pointers(environment);
  const Descriptor input = make_input(command.input);
  Pipe output = make_pipe();
  Pipe errors = make_pipe();
  Pipe failure = make_pipe();
  const Child child{command.path.c_str(),
                    argument_pointers.data(),
                    environment_pointers.data(),
                    input.get(),
                    output.write_end.get(),
                    errors.write_end.get(),
                    failure.write_end.get(),
                    command.where == nullptr ? -1 : command.where->get(),
                    getpid()};
  const pid_t pid = fork();
  if (pid < 0) give_up("cannot start a process", errno);
  if (pid == 0) become(child);
  Process process(pid);
  await_start(failure, command.path);
  output.write_end.close();
  errors.write_end.close();
  Finished finished;
  collect(std::move(output.read_end), std::move(errors.read_end), command, finished);
  if (finished.expired || finished.flooded) process.kill();
  finished.status = process.wait();
  return finished;
}

}  // namespace plumbline::io
