#include "tests/support/traced.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

extern char** environ;

namespace plumbline::test {

namespace {

constexpr int cannot_trace = 126;
constexpr int not_run = 127;
constexpr std::chrono::seconds longest_end{60};

std::string link_at(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::read_symlink(path, error).string();
}

/// `Name:` and `Tgid:` and the like of /proc/PID/status.
std::string status_of(pid_t pid, const std::string& field) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field + ":\t")) return line.substr(field.size() + 2);
  }
  return {};
}

/// The network namespaces a process is in, or has a descriptor of.
void add_namespaces_of(pid_t pid, std::set<std::string>& into) {
  const std::filesystem::path process = "/proc/" + std::to_string(pid);
  std::error_code error;
  for (const char* part : {"fd", "task"}) {
    for (std::filesystem::directory_iterator it(process / part, error), end; it != end;
         it.increment(error)) {
      if (error) break;
      const bool task = std::string_view(part) == "task";
      const std::string target = link_at(task ? it->path() / "ns/net" : it->path());
      if (target.starts_with("net:[")) into.insert(target);
    }
  }
}

/// What a program is started with, made before the fork: after it, in a process that had other
/// threads, no memory may be asked for.
struct Start {
  explicit Start(std::vector<std::string> words) : arguments(std::move(words)) {
    // LeakSanitizer traces too, and cannot be traced.
    std::string options = "ASAN_OPTIONS=detect_leaks=0";
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view text = *entry;
      if (!text.starts_with("ASAN_OPTIONS=")) variables.emplace_back(text);
      if (text.starts_with("ASAN_OPTIONS=")) options = std::string(text) + ":detect_leaks=0";
    }
    variables.push_back(options);
    for (std::string& argument : arguments) argv.push_back(argument.data());
    for (std::string& variable : variables) envp.push_back(variable.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
  }

  std::vector<std::string> arguments;
  std::vector<std::string> variables;
  std::vector<char*> argv;
  std::vector<char*> envp;
};

[[noreturn]] void become_traced(const Start& start) {
  const int nowhere = open("/dev/null", O_RDWR);
  for (const int fd : {0, 1, 2}) dup2(nowhere, fd);
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(cannot_trace);
  static_cast<void>(raise(SIGSTOP));
  execve(start.argv[0], start.argv.data(), start.envp.data());
  _exit(not_run);
}

/// One program under way and all it starts.
class Trace {
 public:
  Trace(pid_t root, const std::optional<Moment>& moment) : root_(root), moment_(moment) {}

  Traced run() {
    int status = 0;
    while (true) {
      const pid_t pid = waitpid(-1, &status, __WALL | (result_.killed ? WNOHANG : 0));
      if (pid < 0 && errno == EINTR) continue;
      if (pid < 0) break;  // ECHILD: all have ended
      if (pid == 0) {
        await_more();
      } else if (WIFSTOPPED(status)) {
        stopped(pid, status);
      } else {
        ended(pid, status);
      }
    }
    return std::move(result_);
  }

 private:
  void await_more() {
    if (std::chrono::steady_clock::now() > end_) {
      for (const auto& [thread, state] : threads_) kill(thread, SIGKILL);
      if (result_.survivor.empty()) result_.survivor = "a process that did not end";
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  void stopped(pid_t pid, int status) {
    const int signal = WSTOPSIG(status);
    const bool is_call = signal == (SIGTRAP | 0x80);
    // The first stop of a new process, and the events of ptrace, are no signals of its own.
    const bool of_its_own = !is_call && signal != SIGSTOP && signal != SIGTRAP;
    const long passed_on = of_its_own ? signal : 0;
    if (result_.killed) {
      // Left to itself: what becomes of it now is its own doing.
      ptrace(PTRACE_DETACH, pid, nullptr, passed_on);
      return;
    }
    if (is_call && is_the_moment(pid)) {
      send_signal_at(pid);
      return;
    }
    ptrace(PTRACE_SYSCALL, pid, nullptr, passed_on);
  }

  void ended(pid_t pid, int status) {
    const bool by_kill = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    // A new child that finds its parent gone before it could ask for the signal.
    const bool gave_up = WIFEXITED(status) && WEXITSTATUS(status) == not_run;
    const bool should_die = moment_ && moment_->signal == SIGKILL;
    if (pid == at_ && should_die && !by_kill && !gave_up)
      result_.survivor = name_ + " " + std::to_string(pid);
    if (pid == root_) {
      // By now its children have the signal, if they have asked for it (exit_notify() in
      // kernel/exit.c). One that has not goes on.
      if (result_.killed && at_ != root_) ptrace(PTRACE_DETACH, at_, nullptr, nullptr);
      result_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }

  bool is_the_moment(pid_t pid) {
    __ptrace_syscall_info call{};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof call, &call) <= 0) return false;
    Thread& thread = thread_of(pid);
    if (call.op == PTRACE_SYSCALL_INFO_ENTRY) {
      thread.call.number = static_cast<long>(call.entry.nr);
      const int count = ++result_.calls[thread.call];
      const Call any{thread.call.of_child, any_call};
      const int count_of_any = ++result_.calls[any];
      thread.is_it = moment_ && ((thread.call == moment_->call && count == moment_->count) ||
                                 (any == moment_->call && count_of_any == moment_->count));
      return thread.is_it && !moment_->afterwards;
    }
    return std::exchange(thread.is_it, false);
  }

  void send_signal_at(pid_t pid) {
    for (const auto& [thread, state] : threads_) add_namespaces_of(thread, result_.held);
    result_.held.erase(link_at("/proc/thread-self/ns/net"));
    name_ = status_of(pid, "Name");
    at_ = pid;
    result_.killed = true;
    end_ = std::chrono::steady_clock::now() + longest_end;
    kill(root_, moment_->signal);
    if (moment_->signal != SIGKILL) ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  }

  struct Thread {
    Call call;
    bool is_it = false;
  };

  Thread& thread_of(pid_t pid) {
    const auto [it, fresh] = threads_.try_emplace(pid);
    if (fresh) it->second.call.of_child = status_of(pid, "Tgid") != std::to_string(root_);
    return it->second;
  }

  pid_t root_;
  std::optional<Moment> moment_;
  std::map<pid_t, Thread> threads_;
  pid_t at_ = -1;
  std::string name_;
  std::chrono::steady_clock::time_point end_;
  Traced result_;
};

}  // namespace

void adopt_orphans() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    throw std::system_error(errno, std::generic_category(), "PR_SET_CHILD_SUBREAPER");
  }
}

std::string wait_for_all() {
  const auto end = std::chrono::steady_clock::now() + longest_end;
  int status = 0;
  while (true) {
    const pid_t pid = waitpid(-1, &status, __WALL | WNOHANG);
    if (pid < 0 && errno == ECHILD) return {};
    if (pid == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (std::chrono::steady_clock::now() > end) break;
  }
  std::ifstream children("/proc/thread-self/children");
  std::string pid;
  std::getline(children, pid, ' ');
  return "process " + pid + " does not end";
}

Traced run_until(const std::vector<std::string>& arguments, const std::optional<Moment>& moment) {
  adopt_orphans();
  const Start start(arguments);
  const pid_t root = fork();
  if (root < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (root == 0) become_traced(start);
  Traced none;
  int status = 0;
  waitpid(root, &status, 0);
  constexpr long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                           PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  if (!WIFSTOPPED(status)) {
    none.why_not = "programs cannot be traced here";
    return none;
  }
  if (ptrace(PTRACE_SETOPTIONS, root, nullptr, options) != 0 ||
      ptrace(PTRACE_SYSCALL, root, nullptr, nullptr) != 0) {
    kill(root, SIGKILL);
    waitpid(root, &status, 0);
    none.why_not = "programs cannot be traced here";
    return none;
  }
  return Trace(root, moment).run();
}

}  // namespace plumbline::test
