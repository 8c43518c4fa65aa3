// All wanted rules of one family, on their way through a scratch namespace: the text that loads
// them, which line is which rule, and what became of each. Private to compile.cpp.

#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "plumbline/spec/expand.hpp"
#include "plumbline/wire/iptables.hpp"

namespace plumbline::engine {

/// One wanted rule.
struct WantedRule {
  std::string text;
  Origin origin;
  std::vector<std::string> jumps;  ///< targets of iptables included
  RuleList::Rules saved;           ///< what iptables makes of it
  bool refused = false;
};

/// The wanted rules of one chain.
struct WantedChain {
  std::string table;
  std::string name;
  bool shared = false;
  std::vector<WantedRule> rules;
  std::size_t inserts = 0;  ///< of a shared chain: how many of the rules go to the top
};

/// Restore input and the rule that each of its lines is, counted from 1; null for other lines.
struct Input {
  std::string text;
  std::vector<WantedRule*> lines{nullptr};
  std::vector<std::string> tables{std::string()};  ///< the table each line is in
};

class RuleSet {
 public:
  /// Chains of others that wanted rules refer to are taken from `have`.
  RuleSet(const spec::Desired& desired, const State& have, Family family);

  [[nodiscard]] Family family() const { return family_; }
  [[nodiscard]] std::vector<WantedChain>& chains() { return chains_; }
  [[nodiscard]] bool empty() const { return chains_.empty(); }
  /// Whether the rules wanted of that chain go into one that is not ours.
  [[nodiscard]] bool is_shared(std::string_view table, std::string_view name) const;

  enum class Form : std::uint8_t { written, saved };
  /// Of the rules that are not refused and that `included` takes, in this order.
  [[nodiscard]] Input input(Form form, const std::function<bool(const WantedRule&)>& included = {});
  /// Takes from a save what became of each rule. False when that cannot be told: the next input()
  /// keeps all rules apart.
  [[nodiscard]] bool read_back(const std::vector<SeenChain>& chains);
  /// Declares an empty chain for every rule that refers to it; false when it is declared already or
  /// no rule refers to it.
  bool add_stub(std::string_view name);
  [[nodiscard]] std::vector<std::string> undeclared() const;
  /// Puts the saved rules into `desired`.
  void store(spec::Desired& desired) const;

 private:
  [[nodiscard]] bool apart(const WantedChain& chain, std::size_t rule) const;

  Family family_;
  std::vector<WantedChain> chains_;  ///< by table
  std::set<std::pair<std::string, std::string>> declared_;
  bool all_apart_ = false;
};

/// The rules that jump to a built-in chain or, over any number of chains, back to their own: the
/// kernel accepts such a loop while no packet can get there, and fails whoever closes it. Each is
/// passed to `refuse` with the reason.
void find_bad_jumps(RuleSet& rules, const State& have,
                    const std::function<void(WantedRule&, std::string)>& refuse);

}  // namespace plumbline::engine
