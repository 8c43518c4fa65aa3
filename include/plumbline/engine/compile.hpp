// Firewall rules as a person wrote them, made into what the installed iptables makes of them.
//
// The rules are loaded into an offline scratch network namespace and read back: on nf_tables the
// bytes the kernel holds, on legacy the text that iptables-save prints. Rules that iptables or the
// kernel refuses are found here, with the place in the spec.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plumbline/engine/ruleset.hpp"
#include "plumbline/io/scratch_host.hpp"
#include "plumbline/spec/expand.hpp"

namespace plumbline::engine {

/// The scratch namespace and the answers of the last compilation. One per process: a pass that
/// compiles what the one before it did starts no program, and looks at no rule.
class Compiler {
 public:
  explicit Compiler(io::ScratchHost& scratch) : scratch_(&scratch) {}

  /// Replaces every rule in `desired`'s chains by what iptables makes of it; one that names several
  /// addresses becomes several. Ipsets need not be there. Rules refused go to `diagnostics` as
  /// INVALID_IPTABLES_RULE, all of them, each at its place. `have` says which chains of others
  /// there are. Throws io::HostError.
  void compile(spec::Desired& desired, const State& have, Diagnostics& diagnostics);

  /// The rules of the last compilation; never null.
  [[nodiscard]] const RuleBook& book() const { return book_; }
  /// Whether rules of IP have code: on nf_tables. Throws io::HostError when no iptables is
  /// installed.
  [[nodiscard]] bool linked() { return scratch_->backend() == io::Backend::nft; }

 private:
  /// All that a compilation with nothing to say depended on, and what came of it.
  struct Last {
    std::vector<Chain> chains;
    std::vector<SharedChain> shared;
    std::vector<Chain> have;
    std::vector<Chain> compiled_chains;
    std::vector<SharedChain> compiled_shared;
  };

  [[nodiscard]] bool is_last(const spec::Desired& desired, const State& have) const;
  void compile_anew(spec::Desired& desired, const State& have, Diagnostics& diagnostics);
  void make_sets(const spec::Desired& desired);

  io::ScratchHost* scratch_;
  std::string circumstances_;  ///< that the answers below hold in
  std::optional<Last> last_;
  std::map<std::string, std::vector<SeenChain>> saved_;  ///< by restore input: what came of it
  RuleBook book_ = std::make_shared<const FirewallRuleSet>();
};

/// The ipsets that wanted rules name, before they are compiled.
[[nodiscard]] std::set<std::string> named_sets(const spec::Desired& desired);

}  // namespace plumbline::engine
