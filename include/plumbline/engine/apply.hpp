// Carries a plan out as one transaction: all of it, or the state from before.
//
// Names become indexes just before a request is sent. A step that fails ends the forward way; the
// steps done are then undone in reverse. The caller observes again and judges what is there.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/engine/ledger.hpp"
#include "plumbline/engine/observe.hpp"
#include "plumbline/state/step.hpp"

namespace plumbline::engine {

enum class StepResult : std::uint8_t {
  done,
  failed,  ///< the end of the way, but for what is put back: may_stay()
  undone,
  skipped,
};

[[nodiscard]] std::string_view format(StepResult result);

/// The stable word for StepReport::busy; docs/errors.md explains it.
inline constexpr std::string_view busy_code = "BUSY";

struct StepReport {
  StepResult result = StepResult::skipped;
  int error = 0;        ///< errno of a failed step, or of one whose undoing failed
  std::string message;  ///< the kernel's own words where it had any
  bool busy = false;    ///< failed, as others were faster every time

  bool operator==(const StepReport&) const = default;
};

struct Report {
  std::vector<StepReport> steps;  ///< one per step of the plan, in its order
  bool failed = false;
  /// Settings as they were before a step wrote them, of links that were not there yet when the plan
  /// was made.
  State found;
  /// What is not as it was after a rollback, in words; carry_out() fills it from an observation.
  std::vector<std::string> left_behind;
  /// What Surroundings::after_guards threw, in words; it fails nothing.
  std::vector<std::string> warnings = {};
};

/// Whether all else is done though that step failed: it puts back a value of something that carries
/// no mark, which may not be possible any more.
[[nodiscard]] bool may_stay(const Step& step);

/// What apply() must know beyond the plan.
struct Surroundings {
  LinkNames links;            ///< as observed along with the plan's `have`
  memory::SettingsAlong now;  ///< written back when a step is undone
  /// Chains of IP are committed to nf_tables, as those of bridges are, else written by
  /// iptables-restore.
  bool uses_nft = false;
  /// Called once, between the steps of the guard phase and all others.
  std::function<void()> after_guards = {};
};

/// Throws nothing that `host` throws: a step of which it is not known what came of it has failed
/// and is undone. `ruleset` knows the chains as observed along with the plan's `have`, and as they
/// are afterwards.
[[nodiscard]] Report apply(io::Host& host, firewall::Ruleset& ruleset, const Plan& plan,
                           Surroundings surroundings);

}  // namespace plumbline::engine
