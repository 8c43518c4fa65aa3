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
    if (pid_ >= 0) static_cast<void>(end());
  }

  /// Readable when it has ended by itself.
  [[nodiscard]] Descriptor watch() const {
    Descriptor opened(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0U)));
    if (!opened) give_up("cannot watch a program", errno);
    return opened;
  }

  /// Kills it, unless it has ended, and what it started and left in its session. As of wait(2).
  [[nodiscard]] int end() {
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);
    int status = 0;
    pid_t ended = 0;
    do {
      ended = waitpid(pid_, &status, 0);
    } while (ended < 0 && errno == EINTR);
    pid_ = -1;
    return ended < 0 ? W_EXITCODE(127, 0) : status;
  }

 private:
  pid_t pid_;
};

/// What a program writes, as far as it is wanted.
struct Stream {
  Descriptor from;
  std::string* into;
  std::size_t most;
  bool flooded = false;
};

/// Reads what is there now, and no longer than a pipe can hold; closes at the end of the stream.
void read_some(Stream& stream) {
  std::array<char, 65536> buffer;
  for (int turn = 0; turn < 16 && stream.from; ++turn) {
    const ssize_t size = read(stream.from.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return;
    if (size == 0) stream.from.close();
    const std::size_t room = stream.most - stream.into->size();
    stream.flooded = stream.flooded || static_cast<std::size_t>(size) > room;
    stream.into->append(buffer.data(), std::min(static_cast<std::size_t>(size), room));
  }
}

Stream stream_from(Pipe& pipe, std::string& into, std::size_t most) {
  pipe.write_end.close();
  if (fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK) != 0) give_up("cannot set up a pipe", errno);
  return {std::move(pipe.read_end), &into, most};
}

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

/// Until the program ends, its time is over or it printed too much.
void collect(const Descriptor& process, Stream& output, Stream& errors, Clock::time_point end,
             Finished& finished) {
  while (true) {
    // poll(2) passes over a negative descriptor.
    std::array<pollfd, 3> watched{{{process.get(), POLLIN, 0},
                                   {output.from.get(), POLLIN, 0},
                                   {errors.from.get(), POLLIN, 0}}};
    const int ready = poll(watched.data(), watched.size(), milliseconds_until(end));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) give_up("cannot wait for a program", errno);
    finished.expired = ready == 0;
    if (finished.expired) return;
    read_some(output);
    read_some(errors);
    finished.flooded = output.flooded;
    // Its end, not that of its streams, which something it left behind may hold open.
    if (finished.flooded || watched[0].revents != 0) return;
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

std::string find_program(std::string_view name) {
  for (const auto directory : {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"}) {
    std::string path = directory + std::string(name);
    if (access(path.c_str(), X_OK) == 0) return path;
    if (is_shortage(errno) || errno == EIO) give_up("cannot look for " + path, errno);
  }
  return {};
}

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
  Finished finished;
  Stream said = stream_from(output, finished.output, command.most_output);
  Stream complained = stream_from(errors, finished.errors, command.most_errors);
  collect(process.watch(), said, complained, Clock::now() + command.deadline, finished);
  const int ended = process.end();
  finished.killed_by = WIFSIGNALED(ended) ? WTERMSIG(ended) : 0;
  finished.status = finished.killed_by != 0 ? 128 + finished.killed_by : WEXITSTATUS(ended);
  return finished;
}

}  // namespace plumbline::io
