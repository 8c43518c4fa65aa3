// All wanted rules of one family, on their way through a scratch namespace: the text that loads
// them, which line is which rule, and what became of each. Private to the compiler.

#pragma once

#include <functional>
#include <list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plumbline/firewall/text/iptables.hpp"
#include "plumbline/spec/expand.hpp"

namespace plumbline::firewall {

/// One wanted rule. Refers to the rule and the place in the spec::Desired it came from.
struct WantedRule {
  const FirewallRule* written = nullptr;
  const Origin* origin = nullptr;       ///< null: no place is known
  std::span<const FirewallRule> saved;  ///< what iptables makes of it; somebody else's
  bool refused = false;
  bool known = false;  ///< `saved` is from an earlier compilation

  [[nodiscard]] const std::string& text() const { return written->text(); }
};

/// The wanted rules of one chain.
struct WantedChain {
  std::string table;
  std::string name;
  bool shared = false;
  RuleList insert;  ///< of a chain of ours: all of them
  RuleList append;
  std::vector<WantedRule> rules;               ///< of both lists
  std::size_t inserts = 0;                     ///< how many of the rules are of the first
  std::set<std::string, std::less<>> jumps{};  ///< what they lead to, targets of iptables included
  /// What there is to be said of rules, by their text.
  std::map<std::string, std::vector<std::string>, std::less<>> warnings{};
};

/// Restore input and the rule that each of its lines is, counted from 1; null for other lines.
struct Input {
  std::string text;
  std::vector<WantedRule*> lines{nullptr};
  std::vector<std::string> tables{std::string()};  ///< the table each line is in
};

class WantedRules {
 public:
  /// Chains of others that wanted rules refer to are taken from `have`. Both arguments and their
  /// rules have to outlive it.
  WantedRules(const spec::Desired& desired, const State& have, Family family);
  WantedRules(WantedRules&&) = default;
  WantedRules& operator=(WantedRules&&) = default;
  WantedRules(const WantedRules&) = delete;
  WantedRules& operator=(const WantedRules&) = delete;
  ~WantedRules() = default;

  [[nodiscard]] Family family() const { return family_; }
  [[nodiscard]] std::vector<WantedChain>& chains() { return chains_; }
  [[nodiscard]] const std::vector<WantedChain>& chains() const { return chains_; }
  [[nodiscard]] bool empty() const { return chains_.empty(); }
  /// Whether the rules wanted of that chain go into one that is not ours.
  [[nodiscard]] bool is_shared(std::string_view table, std::string_view name) const;
  /// Which chains there are and where their rules lead, as text. While it stays the same,
  /// nf_tables judges each rule by itself: by the hooks from which packets get to its chain
  /// (nft_table_validate() in net/netfilter/nf_tables_api.c).
  [[nodiscard]] std::string topology() const;

  enum class Form : std::uint8_t { written, saved };
  /// Of the rules that are not refused and that `included` takes, in this order.
  [[nodiscard]] Input input(Form form, const std::function<bool(const WantedRule&)>& included = {});
  /// Takes from a save what became of each rule. False when that cannot be told: the next input()
  /// keeps all rules apart.
  [[nodiscard]] bool read_back(std::vector<HaveChain> chains);
  /// The rules that are not known, and of the others one for each jump that leads packets to them.
  [[nodiscard]] WantedRules part() const;
  /// Takes from what part() has become what it knows. False when a rule is missing there.
  [[nodiscard]] bool take(const WantedRules& part);

  using Declared = std::set<std::pair<std::string, std::string>>;
  /// By table and name: chains that are ours or that rules refer to.
  [[nodiscard]] const Declared& declared() const { return declared_; }
  void declare(const Declared& chains) { declared_.insert(chains.begin(), chains.end()); }
  /// Declares an empty chain for every rule that refers to it; false when it is declared already or
  /// no rule refers to it.
  bool add_stub(std::string_view name);
  [[nodiscard]] std::vector<std::string> undeclared() const;

 private:
  explicit WantedRules(Family family) : family_(family) {}
  [[nodiscard]] bool apart(const WantedChain& chain, std::size_t rule) const;
  /// For every chain, those of its jumps over which packets get to a rule that is not known.
  [[nodiscard]] std::vector<std::set<std::string_view>> ways_to_unknown() const;

  Family family_;
  std::vector<WantedChain> chains_;  ///< by table
  Declared declared_;
  bool all_apart_ = false;
  std::list<std::vector<HaveChain>> read_;  ///< that `saved` of the rules refers to
};

/// The rules that jump to a built-in chain or, over any number of chains, back to their own: the
/// kernel accepts such a loop while no packet can get there, and fails whoever closes it. Each is
/// passed to `refuse` with the reason.
void find_bad_jumps(WantedRules& rules, const State& have,
                    const std::function<void(WantedRule&, std::string)>& refuse);

}  // namespace plumbline::firewall
