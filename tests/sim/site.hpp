// A whole plumbline at work on a simulated host: from spec text to a kernel in memory, with a
// directory of its own for ledger and lock.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "plumbline/engine/pass.hpp"
#include "tests/sim/host.hpp"
#include "tests/sim/recorded_compiler.hpp"

namespace plumbline::sim {

class Site {
 public:
  /// The host has `lo` and the network cards eth0 and eth1, all of them up.
  Site();
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  /// Throws std::runtime_error with all errors when the text is no good spec.
  [[nodiscard]] spec::Desired desired(const std::string& spec_text) const;
  /// Observes and plans; throws when the rules do not compile.
  [[nodiscard]] engine::Prepared prepare(const std::string& spec_text);
  /// Carries out through `host` when given, else on the simulated one.
  [[nodiscard]] engine::Outcome carry_out(const engine::Prepared& prepared,
                                          io::Host* host = nullptr);
  /// Plans, carries out, and expects that all went well and nothing is left to do.
  engine::Prepared apply(const std::string& spec_text);

  /// A process that knows nothing but what is in the kernel and in the directory.
  void forget_what_was_seen() { ruleset_ = {}; }

  [[nodiscard]] engine::Context context(io::Host* host = nullptr);
  [[nodiscard]] Kernel& kernel() { return kernel_; }
  [[nodiscard]] Host& host() { return host_; }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

  /// Somebody else's doings; a refusal is a failed expectation.
  void send(const wire::Request& request);
  /// Each object with all that is known of it, as lines. Nothing of indexes and handles.
  [[nodiscard]] std::vector<std::string> state();

  plan::Options options;
  bool may_forget = false;  ///< as Context::may_forget

 private:
  Kernel kernel_;
  Host host_{kernel_};
  RecordedCompiler compiler_;
  firewall::Ruleset ruleset_;
  std::filesystem::path directory_;
};

/// What the plan would print, for messages of tests.
[[nodiscard]] std::string shown(const engine::Prepared& prepared);

}  // namespace plumbline::sim
