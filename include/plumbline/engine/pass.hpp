// One pass: from the files to a kernel that is as they say.
//
// The same six calls for the command line and the daemon: load, expand, observe, compile,
// make_plan, apply; then observe again, as nothing is believed that was not seen.

#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "plumbline/engine/apply.hpp"
#include "plumbline/engine/ledger_file.hpp"
#include "plumbline/engine/lock.hpp"
#include "plumbline/firewall/compile/compile.hpp"
#include "plumbline/firewall/observe/in_force.hpp"
#include "plumbline/plan/plan.hpp"

namespace plumbline::engine {

/// Everything a pass works with. The host acts on the namespace, the compiler on a scratch one.
struct Context {
  io::Host& host;
  firewall::Compiler& compiler;
  firewall::Ruleset& ruleset;       ///< of the host
  std::filesystem::path directory;  ///< of the ledger and the lock
  plan::Options options;
  bool may_forget = false;  ///< carries out also what cannot be remembered
};

/// What there is, to be shown: rules of ours with their text, or of everybody when `all`. What is
/// in `ledger` gets the names of now. Throws io::HostError, wire::Malformed.
[[nodiscard]] Observed observe_for_show(const Context& context, Ledger& ledger, bool all);

/// The guests that there are TAPs of ours for, sorted.
[[nodiscard]] std::vector<spec::Assignment> guests_on(const Context& context);

/// What shall be, what is, and the way between them.
struct Prepared {
  spec::Desired desired;
  Observed have;
  Ledger ledger;
  bool ledger_unusable = false;  ///< something is there in its place
  Plan plan;
  std::vector<firewall::OutOfForce> out_of_force;  ///< among the plan's warnings too
  std::vector<Diagnostic> errors;                  ///< not empty: there is no plan
  std::vector<Diagnostic> warnings;

  /// Nothing would be done.
  [[nodiscard]] bool idle() const;
};

/// Reads the sources. Errors are in the diagnostics; touches no kernel.
[[nodiscard]] spec::Desired read_spec(const std::vector<std::string>& sources, FileReader& files,
                                      const Mark& mark, Diagnostics& diagnostics);

/// Observes, compiles and plans. Changes nothing. Throws io::HostError, wire::Malformed.
[[nodiscard]] Prepared prepare(const Context& context, spec::Desired desired);

enum class Result : std::uint8_t {
  unchanged,
  applied,
  rolled_back,  ///< a step failed; the state from before was seen to be back
  refused,      ///< Plan::refusals says why; nothing was changed
  failed,       ///< a step failed and something of the state from before is not back
};

/// `unchanged`, `applied`, `rolled-back`, `refused`, `failed`
[[nodiscard]] std::string_view format(Result result);

struct Outcome {
  Result result = Result::unchanged;
  Report report;
  /// What the kernel moved while the plan was carried out, and a further look put right; as keys.
  std::vector<std::string> settled;
  /// After `applied`: what a new plan would still do, as keys, or why it would be refused; empty
  /// when all is as wanted.
  std::vector<std::string> unsettled;
  /// What was found before us, carries no mark and could not be put back, with the reason. All
  /// else is done, and it stays remembered.
  std::vector<std::string> not_put_back;
  std::vector<Diagnostic> warnings;  ///< of what is no step and yet was not possible
  /// After all: rules that are there as wanted, and judge nothing.
  std::vector<Diagnostic> not_in_force;
};

/// What of a plan is meant to be carried out now.
using Selection = std::function<Plan(const Plan&)>;

/// What the plan of `prepared` changes for the first time, so that there is about to be more to
/// remember. Throws io::HostError.
[[nodiscard]] std::vector<Key> set_first(const Context& context, const Prepared& prepared);

/// Carries the plan out under the caller's Lock, and observes what came of it. Whoever left
/// something out of the plan gives `select`, which leaves it out of any further look as well.
/// Throws CannotRemember, io::HostError, wire::Malformed before anything is changed; afterwards the
/// outcome says what could not be seen or remembered.
[[nodiscard]] Outcome carry_out(const Context& context, const Prepared& prepared,
                                const Selection& select = {});

}  // namespace plumbline::engine
