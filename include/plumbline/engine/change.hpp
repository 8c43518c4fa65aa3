// A change to the host from its beginning to its end: read the files, take the lock, observe, plan,
// show, ask, observe again, carry out. One call for each verb; the daemon has a loop of its own.
//
// Who is shown the plan and who agrees to it is the caller's Audience. Nothing here is worded.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plumbline/engine/pass.hpp"

namespace plumbline::engine {

class Audience {
 public:
  Audience() = default;
  virtual ~Audience() = default;
  Audience(const Audience&) = delete;
  Audience& operator=(const Audience&) = delete;

  /// As soon as they are known.
  virtual void warn(const std::vector<Diagnostic>& warnings) = 0;
  /// What is about to be done.
  virtual void show(const Plan& plan) = 0;
  /// Whether anybody is to be asked, where there is something to ask about.
  [[nodiscard]] virtual bool asks() const = 0;
  /// May take as long as it likes.
  [[nodiscard]] virtual bool agrees() = 0;
  /// From now on the host is changed.
  virtual void begins() = 0;
};

/// Makes what a pass works with. Called once, and not before the input is known to be good.
using Opening = std::function<Context()>;

struct Input {
  const std::vector<std::string>& sources;
  FileReader& files;
  Mark mark;
};

struct Ended {
  std::vector<Diagnostic> errors;    ///< of the input or the host: there is no plan
  std::vector<Diagnostic> refusals;  ///< why nothing was changed, though there may be a plan
  Prepared prepared;
  Outcome outcome;  ///< where there are neither errors nor refusals
};

// All of them throw as prepare() and carry_out() do.

/// What apply_files() would do: takes no lock, shows nothing and changes nothing.
[[nodiscard]] Ended plan_files(const Input& input, const Opening& open, Audience& audience);
[[nodiscard]] Ended apply_files(const Input& input, const Opening& open, Audience& audience);
/// Everything that is ours goes, and what was before comes back.
[[nodiscard]] Ended remove_all(const Opening& open, Audience& audience);
/// The objects of these keys become ours.
[[nodiscard]] Ended make_ours(const std::vector<std::string>& keys, const Opening& open,
                              Audience& audience);

/// Before anything is written: takes from others what they may write of where our files are. Says
/// where it had to.
[[nodiscard]] std::vector<Diagnostic> close_state_directory(const Context& context);

}  // namespace plumbline::engine
