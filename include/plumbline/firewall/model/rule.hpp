// One rule of an iptables chain, and lists of them.
//
// A rule that is text is split into words once, when it is made, and read by its words from then
// on.
//
// Rules and lists are immutable and shared: a copy of a chain of 10 000 rules is one pointer, and
// comparing it with itself looks at no rule. A rule that nf_tables holds is its code, whatever its
// text says; one that is only known as text, wanted and not yet compiled or of the legacy backend,
// is its text.

#pragma once

#include <compare>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "plumbline/firewall/bytes/nftables.hpp"
#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline {

namespace wire {
class Entry;
}  // namespace wire

class FirewallRule {
 public:
  /// As a person wrote it, or as iptables-save prints it; without `-A CHAIN`.
  FirewallRule(std::string text);
  FirewallRule(std::string_view text) : FirewallRule(std::string(text)) {}
  FirewallRule(const char* text) : FirewallRule(std::string(text)) {}
  /// Its text is the words, joined.
  explicit FirewallRule(firewall::Words words);
  /// `text` is what iptables prints for the code; empty while that is not known.
  FirewallRule(std::string text, firewall::RuleCode code);

  /// A rule as the spec writes it: text, or an object of `match`, `target` and `comment`. `shared`:
  /// the chain, if it is a shared one, where the rule has to have room for our mark. Faults are
  /// reported and give nothing.
  static std::optional<FirewallRule> from_spec(const wire::Entry& entry, Family family,
                                               std::string_view shared = {});

  [[nodiscard]] const std::string& text() const { return content_->text; }
  [[nodiscard]] const std::optional<firewall::RuleCode>& code() const { return content_->code; }
  /// The chains it jumps or goes to, verdicts, and targets of iptables: what `-j` and `-g` name.
  [[nodiscard]] const std::vector<std::string>& targets() const { return content_->targets; }
  /// Of those, what is a chain for sure: known of code alone, as a target may have any name.
  [[nodiscard]] const std::vector<std::string>& chains() const { return content_->chains; }
  /// The ipsets it names.
  [[nodiscard]] const std::vector<std::string>& sets() const { return content_->sets; }
  /// How many rules iptables makes of it: one for each address of a list.
  [[nodiscard]] std::size_t rules_made() const { return content_->rules_made; }
  [[nodiscard]] bool leads_to(std::string_view target) const;
  /// It has no part but the comment that marks a chain as ours.
  [[nodiscard]] bool is_mark() const { return content_->is_mark; }
  /// A comment of it is our mark, so that it is ours in a chain that is shared.
  [[nodiscard]] bool carries_mark() const { return content_->carries_mark; }

  /// By code where there is one, else by text.
  bool operator==(const FirewallRule& other) const;
  std::strong_ordering operator<=>(const FirewallRule& other) const;
  /// The same of equal rules.
  [[nodiscard]] std::size_t hash() const { return content_->hash; }
  /// FNV-1a over the text, as plumbline::digest() makes it.
  [[nodiscard]] std::uint64_t digest() const { return content_->digest; }

 private:
  struct Content {
    std::string text;
    std::optional<firewall::RuleCode> code;
    std::vector<std::string> targets;
    std::vector<std::string> chains;
    std::vector<std::string> sets;
    std::size_t rules_made = 1;
    bool is_mark = false;
    bool carries_mark = false;
    std::size_t hash = 0;
    std::uint64_t digest = 0;
  };

  static std::shared_ptr<const Content> content_of(std::string text,
                                                   const std::optional<firewall::Words>& words);

  std::shared_ptr<const Content> content_;
};

/// The words of a rule's text, split now; nothing where a quote is not closed.
[[nodiscard]] std::optional<firewall::Words> words_of(const FirewallRule& rule);

/// A rule as the tail of a line for iptables-restore. One that cannot be written in one line (a
/// comment with a newline in it) becomes an option that no iptables knows: the restore then fails
/// as a whole and says why.
[[nodiscard]] std::string restore_rule(const FirewallRule& rule);

struct HashFirewallRule {
  std::size_t operator()(const FirewallRule& rule) const { return rule.hash(); }
};
/// For looking rules up: in no order.
using FirewallRuleSet = std::unordered_set<FirewallRule, HashFirewallRule>;
template <class T>
using FirewallRuleMap = std::unordered_map<FirewallRule, T, HashFirewallRule>;

class RuleList {
 public:
  using Rules = std::vector<FirewallRule>;
  using value_type = FirewallRule;
  using const_iterator = Rules::const_iterator;

  RuleList() = default;
  RuleList(std::initializer_list<FirewallRule> rules) : RuleList(Rules(rules)) {}
  RuleList(Rules rules);
  /// The rules of an array member; none when there is none.
  static RuleList from_spec(const wire::Entry& entry, std::string_view member, Family family,
                            std::string_view shared = {});

  /// To be changed and made a list again.
  [[nodiscard]] const Rules& rules() const;
  [[nodiscard]] auto begin() const { return rules().begin(); }
  [[nodiscard]] auto end() const { return rules().end(); }
  [[nodiscard]] std::size_t size() const { return rules().size(); }
  [[nodiscard]] bool empty() const { return rules().empty(); }
  [[nodiscard]] const FirewallRule& operator[](std::size_t place) const { return rules()[place]; }
  [[nodiscard]] const FirewallRule& back() const { return rules().back(); }

  /// This list and then `more`.
  [[nodiscard]] RuleList followed_by(const RuleList& more) const;
  /// FNV-1a over the digests of its rules; counted once.
  [[nodiscard]] std::uint64_t digest() const;

  bool operator==(const RuleList& other) const;

 private:
  struct Shared {
    Rules rules;
    std::uint64_t digest = 0;
  };

  std::shared_ptr<const Shared> shared_;  ///< null: empty
};

/// Rules that can stay where they are when `have` becomes `want`, as their positions in both, in
/// order: the longest such sequence where no rule stands twice. All others of `have` are taken away
/// and all others of `want` put in.
[[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> kept_rules(
    std::span<const FirewallRule> have, std::span<const FirewallRule> want);

/// The rules that are in both and yet cannot stay: they lose their counters and state.
[[nodiscard]] std::vector<FirewallRule> moved_rules(std::span<const FirewallRule> have,
                                                    std::span<const FirewallRule> want);

}  // namespace plumbline
