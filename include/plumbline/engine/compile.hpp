// Firewall rules as a person wrote them, made into the form the installed iptables saves.
//
// The rules are loaded into an offline scratch network namespace and read back. Rules that
// iptables or the kernel refuses are found here, with the place in the spec.

#pragma once

#include "plumbline/engine/observe.hpp"
#include "plumbline/spec/expand.hpp"

namespace plumbline::engine {

/// The scratch namespace and the answers so far. One per process: a pass that compiles what an
/// earlier one did starts no program.
class Compiler {
 public:
  /// `scratch` is a Host whose firewall requests act on a network namespace of nobody's.
  explicit Compiler(io::Host& scratch) : scratch_(&scratch) {}

  /// Replaces every rule in `desired`'s chains by its saved form. Rules refused go to
  /// `diagnostics` as INVALID_IPTABLES_RULE, all of them, each at its place.
  void compile(spec::Desired& desired, const State& have, Diagnostics& diagnostics);

 private:
  io::Host* scratch_;
  std::map<std::string, std::string> saved_;  ///< restore input to save output
};

}  // namespace plumbline::engine
