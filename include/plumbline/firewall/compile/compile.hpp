// Firewall rules as a person wrote them, made into what is compared with a host's and sent to it.
//
// The one that asks the installed iptables is iptables_compiler.hpp. Whoever works on no kernel has
// another.

#pragma once

#include <set>
#include <string>

#include "plumbline/firewall/observe/ruleset.hpp"
#include "plumbline/spec/expand.hpp"

namespace plumbline::firewall {

class Compiler {
 public:
  Compiler() = default;
  virtual ~Compiler() = default;
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  /// Replaces every rule in `desired`'s chains by what iptables makes of it; one that names several
  /// addresses becomes several. Ipsets need not be there. Rules refused go to `diagnostics` as
  /// INVALID_IPTABLES_RULE, all of them, each at its place. `have` says which chains of others
  /// there are. Throws io::HostError.
  virtual void compile(spec::Desired& desired, const State& have, Diagnostics& diagnostics) = 0;

  /// The rules of the last compilation; never null.
  [[nodiscard]] virtual const RuleBook& book() const = 0;
  /// Whether rules of IP have code: on nf_tables. Throws io::HostError when no iptables is
  /// installed.
  [[nodiscard]] virtual bool uses_nft() = 0;
};

/// The ipsets that wanted rules name, before they are compiled.
[[nodiscard]] std::set<std::string> named_sets(const spec::Desired& desired);

}  // namespace plumbline::firewall
