// A system call that fails for the calling thread and whatever it starts, as on a machine that is
// short of something (man 2 seccomp).

#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <system_error>
#include <thread>

namespace plumbline::test {

/// What takes the place of an errno: the thread's process is killed by SIGSYS.
inline constexpr int killed = -1;

/// From now on, for as long as the thread lives, the call is not made. Throws std::system_error.
inline void refuse_call(long number, int error) {
  const unsigned answer =
      error == killed ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | static_cast<unsigned>(error);
  std::array program{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, answer),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &attached) != 0) {
    throw std::system_error(errno, std::generic_category(), "seccomp");
  }
}

/// Does `work` in a thread of its own in which the call is refused. What it threw, in words.
inline std::string without_call(long number, int error, const std::function<void()>& work) {
  std::string thrown;
  std::thread([&] {
    try {
      refuse_call(number, error);
      work();
    } catch (const std::exception& fault) {
      thrown = fault.what();
    }
  }).join();
  return thrown;
}

}  // namespace plumbline::test
