// A whole plumbline at work in the calling thread's network namespace: from spec text to kernel.

#pragma once

#include <filesystem>
#include <string>

#include "plumbline/engine/pass.hpp"
#include "plumbline/firewall/compile/iptables_compiler.hpp"
#include "plumbline/io/kernel_host.hpp"
#include "plumbline/io/scratch_host.hpp"

namespace plumbline::test {

class Site {
 public:
  explicit Site(io::Backend backend = io::Backend::nft);
  /// With the ledger of another one, which may be gone.
  explicit Site(std::filesystem::path ledger);
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  /// Throws std::runtime_error with all errors when the text is no good spec.
  [[nodiscard]] spec::Desired desired(const std::string& spec_text) const;
  /// Observes and plans; throws when the rules do not compile.
  [[nodiscard]] engine::Prepared prepare(const spec::Desired& wanted);
  [[nodiscard]] engine::Prepared prepare(const std::string& spec_text) {
    return prepare(desired(spec_text));
  }
  /// Carries out through `host` when given, else on the kernel itself.
  [[nodiscard]] engine::Outcome carry_out(const engine::Prepared& prepared,
                                          io::Host* host = nullptr);
  /// Plans, carries out, and expects `applied` or `unchanged` and that nothing is left to do;
  /// anything else is a failed expectation with the plan and the kernel's words in it.
  engine::Prepared apply(const std::string& spec_text);
  engine::Prepared apply(const spec::Desired& wanted);

  [[nodiscard]] engine::Context context(io::Host* host = nullptr);
  [[nodiscard]] io::KernelHost& host() { return host_; }
  plan::Options options;
  bool may_forget = false;  ///< as Context::may_forget

 private:
  io::KernelHost host_;
  io::ScratchHost scratch_;
  firewall::IptablesCompiler compiler_;
  firewall::Ruleset ruleset_;
  std::filesystem::path directory_;
  bool keeps_directory_ = false;
};

/// What the plan would print, for messages of tests.
[[nodiscard]] std::string shown(const engine::Prepared& prepared);

}  // namespace plumbline::test
