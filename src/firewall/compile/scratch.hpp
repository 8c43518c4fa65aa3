// Loads one family's rules into the scratch namespace, and finds out which of them cannot be.
// Private to the compiler.

#pragma once

#include "plumbline/io/scratch_host.hpp"
#include "wanted_rules.hpp"

namespace plumbline::firewall {

class Scratch {
 public:
  Scratch(io::ScratchHost& scratch, WantedRules& rules, Diagnostics& diagnostics);

  /// Whether the rules get code.
  [[nodiscard]] bool uses_nft() const { return uses_nft_; }

  /// Until nothing is refused any more; then all rules have what iptables made of them. Throws
  /// io::HostError.
  void run(WantedRules::Form form);
  /// What iptables makes of `part`, should it take all of it.
  [[nodiscard]] bool try_part(WantedRules& part);

  void refuse(WantedRule& rule, const std::string& reason);
  /// How many rules were refused.
  [[nodiscard]] std::size_t refusals() const { return refusals_; }

 private:
  [[nodiscard]] std::vector<HaveChain> load(WantedRules::Form form);
  void make_sets(const WantedRules& rules);
  [[nodiscard]] wire::Reply restore(const std::string& text);
  [[nodiscard]] wire::Reply exchange(const wire::Request& request);
  [[nodiscard]] std::vector<HaveChain> save();
  [[nodiscard]] std::vector<HaveChain> with_code(std::vector<SavedChain> saved);
  [[nodiscard]] bool declare_missing(std::string_view message);
  void blame(const Input& input, const std::string& message, WantedRules::Form form);
  void search(const Input& input, const std::string& table, const std::string& message,
              WantedRules::Form form);

  io::ScratchHost* scratch_;
  WantedRules* rules_;
  Diagnostics* diagnostics_;
  bool uses_nft_;
  std::size_t refusals_ = 0;
};

}  // namespace plumbline::firewall
