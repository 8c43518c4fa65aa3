// What the installed iptables makes of rules.
//
// The rules are loaded into an offline scratch network namespace and read back: on nf_tables the
// bytes the kernel holds, on legacy the text that iptables-save prints. Rules that iptables or the
// kernel refuses are found here, with the place in the spec. What came of rules is remembered, by
// the process and in files for the next one, so that only those are loaded that changed.

#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plumbline/firewall/compile/compile.hpp"
#include "plumbline/io/scratch_host.hpp"

namespace plumbline::firewall {

/// Where processes keep what came of rules, for all network namespaces: scratch ones are all alike.
inline constexpr const char* compile_cache_path = "/run/plumbline/compiled";

struct Memo;
class WantedRules;
class Scratch;

/// The scratch namespace and the answers of the last compilation. One per process: a pass that
/// compiles what the one before it did starts no program, and looks at no rule.
class IptablesCompiler final : public Compiler {
 public:
  /// `cache` is a directory for the answers, shared by all processes; empty: none is kept.
  explicit IptablesCompiler(io::ScratchHost& scratch, std::filesystem::path cache = {});
  /// Keeps what is not in a file yet.
  ~IptablesCompiler() override;
  IptablesCompiler(const IptablesCompiler&) = delete;
  IptablesCompiler& operator=(const IptablesCompiler&) = delete;

  void compile(spec::Desired& desired, const State& have, Diagnostics& diagnostics) override;
  [[nodiscard]] const RuleBook& book() const override { return book_; }
  [[nodiscard]] bool uses_nft() override { return scratch_->backend() == io::Backend::nft; }

 private:
  /// All that a compilation with nothing to say depended on, and what came of it.
  struct Last {
    std::vector<Chain> chains;
    std::vector<SharedChain> shared;
    std::vector<Chain> have;
    std::vector<Chain> compiled_chains;
    std::vector<SharedChain> compiled_shared;
  };

  /// What came of one family's rules.
  struct Answers;

  [[nodiscard]] bool is_last(const spec::Desired& desired, const State& have) const;
  void compile_anew(spec::Desired& desired, const State& have, Diagnostics& diagnostics);
  void compile_family(WantedRules& rules, Scratch& load, spec::Desired& desired,
                      Diagnostics& diagnostics);
  [[nodiscard]] std::string key_of(const WantedRules& rules);
  [[nodiscard]] const Memo* find_answers(Family family, const std::string& key, bool linked);
  void make_book();
  void keep_in_file(Answers& answers) const;

  io::ScratchHost* scratch_;
  std::filesystem::path cache_;
  std::string circumstances_;  ///< that the answers below hold in
  std::optional<Last> last_;
  std::map<Family, Answers> answers_;
  RuleBook book_ = std::make_shared<const FirewallRuleSet>();
  bool book_is_old_ = false;
};

}  // namespace plumbline::firewall
