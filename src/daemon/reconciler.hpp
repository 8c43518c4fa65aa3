// Keeps the kernel as the files say, one pass at a time, and logs what is worth saying about it.
//
// It knows which spec is in force: the newest one that could be carried out. Files that are broken,
// gone or refused change nothing and leave that one in force. It does not know when to pass.

#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conditions.hpp"
#include "flap_backoff.hpp"
#include "plumbline/daemon/daemon.hpp"

namespace plumbline::daemon {

class Reconciler {
 public:
  Reconciler(std::vector<std::string> sources, const engine::Context& context, FileReader& files)
      : sources_(std::move(sources)), context_(context), files_(files) {}

  /// Whatever goes wrong is logged and makes the pass `failed`. `cause` is for the log.
  Ending pass(bool read_files, std::string_view cause);
  /// Puts back guards that drifted, and nothing else: after a pass that failed, and until the next.
  void keep_guards();

  [[nodiscard]] FlapBackoff& flap_backoff() { return flap_backoff_; }
  /// The last pass left the host as the spec in force says, but for what is blocked.
  [[nodiscard]] bool converged() const { return converged_; }
  /// One line for whoever asks how it goes.
  [[nodiscard]] std::string status() const;

 private:
  void read_files();
  Ending keep();
  [[nodiscard]] bool forgets_everything(const spec::Desired& desired);
  std::optional<Ending> bring_about(const spec::Desired& desired, bool fresh);
  [[nodiscard]] bool acceptable(const engine::Prepared& prepared);
  std::optional<engine::Lock> take_lock(int& holder);
  Ending carry_out(const engine::Prepared& prepared, const std::set<Contested>& held);
  Ending carry_out_unremembered(const engine::Prepared& prepared, const std::set<Contested>& held);
  Ending tell(const Plan& plan, const engine::Outcome& outcome);
  void log_success(const Plan& plan, const engine::Outcome& outcome);
  [[nodiscard]] bool log_steps(const Plan& plan) const;
  void log_conditions();

  std::vector<std::string> sources_;
  engine::Context context_;
  FileReader& files_;

  std::optional<spec::Desired> in_force_;
  std::optional<spec::Desired> candidate_;  ///< read, good in itself, not carried out yet
  Diagnostics reading_;                     ///< what the last reading found
  FlapBackoff flap_backoff_{FlapLimits()};

  // ---- of one pass
  std::string_view cause_;
  std::vector<std::string> errors_;
  std::vector<std::string> warnings_;
  std::size_t blocked_ = 0;
  bool converged_ = false;
  bool rules_judge_ = true;  ///< wanted ones: firewall/observe/in_force.hpp

  Conditions known_errors_;
  Conditions known_warnings_;
};

}  // namespace plumbline::daemon
