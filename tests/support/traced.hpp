// A program that is killed, or sent another signal, at a given system call, its own or one of a
// program it started.
//
// Only the moment is chosen here, by tracing (man 2 ptrace); what it left behind is looked at with
// other means.

#pragma once

#include <sys/types.h>

#include <compare>
#include <csignal>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace plumbline::test {

/// In place of the number of a system call: every one counts.
inline constexpr long any_call = -1;

/// A kind of system call, of the program itself or of those it started.
struct Call {
  bool of_child = false;
  long number = 0;  ///< SYS_sendmsg and the like

  auto operator<=>(const Call&) const = default;
};

/// The `count`-th call of that kind, from 1.
struct Moment {
  Call call;
  int count = 1;
  bool afterwards = false;  ///< when it was carried out, but has not returned; else before it is
  int signal = SIGKILL;     ///< what the program gets; it goes on with any other, as it likes
};

struct Traced {
  std::string why_not;         ///< not empty: nothing can be traced here, and nothing was run
  bool killed = false;         ///< the moment came, and the signal was sent
  int status = -1;             ///< as CommandResult::status has it
  std::map<Call, int> calls;   ///< how often each was made
  std::set<std::string> held;  ///< `net:[…]` other than ours that it held when it was killed
  std::string
      survivor;  ///< the process that was at the call, when it went on and did not die with it
};

/// Runs the program, found by its path, and sends it the signal when the moment comes. What it
/// prints is thrown away. Returns when all it started has ended too.
[[nodiscard]] Traced run_until(const std::vector<std::string>& arguments,
                               const std::optional<Moment>& moment);

/// Processes that are left over become children of this one from now on.
void adopt_orphans();
/// Waits until no process that we or our children started is there; says which is, when one does
/// not end.
[[nodiscard]] std::string wait_for_all();

}  // namespace plumbline::test
