// Firewall rules as a person wrote them, made into the form the installed iptables saves.
//
// The rules are loaded into an offline scratch network namespace and read back. Rules that
// iptables or the kernel refuses are found here, with the place in the spec. What is compared is
// text: two rules that save alike are one to this path.

#pragma once

#include <map>
#include <string>

#include "plumbline/engine/observe.hpp"
#include "plumbline/io/scratch_host.hpp"
#include "plumbline/spec/expand.hpp"

namespace plumbline::engine {

/// The scratch namespace and the answers of the last compilation. One per process: a pass that
/// compiles what the one before it did starts no program.
class Compiler {
 public:
  explicit Compiler(io::ScratchHost& scratch) : scratch_(&scratch) {}

  /// Replaces every rule in `desired`'s chains by its saved form; one that names several addresses
  /// becomes several. Rules refused go to `diagnostics` as INVALID_IPTABLES_RULE, all of them, each
  /// at its place. `have` says which chains of others there are. Throws io::HostError.
  void compile(spec::Desired& desired, const State& have, Diagnostics& diagnostics);

 private:
  io::ScratchHost* scratch_;
  std::map<std::string, std::string> saved_;  ///< by restore input: what was saved then
};

}  // namespace plumbline::engine
