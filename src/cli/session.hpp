// What the verbs that touch the kernel share: the namespace entered, the host, the compiler,
// and the directory of the ledger.

#pragma once

#include "options.hpp"
#include "plumbline/engine/pass.hpp"
#include "plumbline/firewall/compile/iptables_compiler.hpp"
#include "plumbline/io/kernel_host.hpp"
#include "plumbline/io/scratch_host.hpp"

namespace plumbline::cli {

/// What tells our objects from those of others.
[[nodiscard]] Mark mark(const Options& options);

class Session {
 public:
  /// Enters the namespace of `--netns`, for the whole process. Throws io::HostError.
  explicit Session(const Options& options);

  [[nodiscard]] engine::Context context();

 private:
  Session(const Options& options, io::Backend backend);

  plan::Options plan_options_;
  io::KernelHost host_;
  io::ScratchHost scratch_;
  firewall::IptablesCompiler compiler_;
  firewall::Ruleset ruleset_;
  std::filesystem::path directory_;
};

}  // namespace plumbline::cli
