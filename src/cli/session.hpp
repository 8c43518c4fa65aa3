// What the verbs that touch the kernel share: the namespace entered, the host, the compiler, the
// directory of the ledger, and the lock.

#pragma once

#include <memory>
#include <optional>

#include "options.hpp"
#include "plumbline/engine/pass.hpp"
#include "plumbline/io/kernel_host.hpp"
#include "plumbline/io/scratch_host.hpp"

namespace plumbline::cli {

[[nodiscard]] PlanOptions plan_options(const Options& options);

class Session {
 public:
  /// Enters the namespace of `--netns`, for the whole process. Throws io::HostError.
  explicit Session(const Options& options);

  [[nodiscard]] engine::Context context();
  /// Before anything is written: takes from others what they may write of where our files are. Says
  /// where it had to.
  [[nodiscard]] std::vector<Diagnostic> close_state_directory() const;
  /// Nothing when another plumbline works here: the refusal has been printed.
  [[nodiscard]] std::optional<engine::Lock> lock(const Options& options) const;

 private:
  Session(const Options& options, io::Backend backend);

  PlanOptions plan_options_;
  io::KernelHost host_;
  io::ScratchHost scratch_;
  firewall::Compiler compiler_;
  firewall::Ruleset ruleset_;
  std::filesystem::path directory_;
};

}  // namespace plumbline::cli
