// iptables as text: rule words, the text of iptables-save, and the input of iptables-restore. With
// Family::bridge it is ebtables, whose options are others; else the family makes no difference.
//
// Words are split exactly as iptables-restore splits them, and written so that it cannot split
// them otherwise. Knows which options could leave a rule (another table, a command); knows the
// meaning of no match and no target.

#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/base/family.hpp"
#include "plumbline/wire/netlink.hpp"
#include "plumbline/wire/request.hpp"

namespace plumbline::firewall {

using Words = std::vector<std::string>;

// ---- words --------------------------------------------------------------------------------------

/// The words of a rule as iptables-restore 1.8.9 finds them (add_param_to_argv() in xshared.c):
/// separated by spaces and tabs; `"` opens anywhere and the closing one ends the word; a backslash
/// escapes inside quotes only; nothing else is special. Nothing when a quote is not closed, which
/// iptables would not notice.
[[nodiscard]] std::optional<Words> split_words(std::string_view text);

/// The words as one line, quoted only where it is needed: split_words() gives them back.
[[nodiscard]] std::string join_words(std::span<const std::string> words);

/// The words for iptables-restore: every one in quotes.
[[nodiscard]] std::string quote_words(std::span<const std::string> words);

// ---- options ------------------------------------------------------------------------------------

/// One option among the words of a rule.
struct RuleOption {
  std::string_view name;  ///< as written, without the dashes: `j`, `jump`, `comment`
  std::optional<std::string_view> argument;  ///< only of options that are known to take one
  std::size_t word = 0;  ///< its position; an argument not joined on is the next
};

/// The options as getopt_long(3) finds them. A word that looks like an option is one, unless an
/// option that is known to take an argument stands before it. Refers to `words`.
/// In a rule of ebtables the argument may have a `!` before it, which is passed over.
[[nodiscard]] std::vector<RuleOption> options_of(const Words& words, Family family = Family::inet);

/// The words with each argument that is joined to its option (`-jACCEPT`, `--protocol=tcp`) made a
/// word of its own: iptables-restore 1.8.9 refuses some of them joined.
[[nodiscard]] Words separated(const Words& words, Family family = Family::inet);

/// The matches and watchers (`log`, `nflog`) that a rule of ebtables has, each once.
[[nodiscard]] std::vector<std::string_view> ebtables_matches(const Words& words);

/// What a rule's `-j` and `-g` name.
[[nodiscard]] std::vector<std::string> jumps_of(const Words& words);

/// Why the words may not be the rule of a chain: an option that would select another table, run a
/// command or a program; text that iptables would cut or misread without an error. Empty when they
/// may. What it lets pass may still be refused by iptables.
/// Of ebtables also text that ebtables-save would print wrong, so that it is another rule when it
/// is restored, or could not print at all.
[[nodiscard]] std::string refusal(const Words& words, Family family = Family::inet);

/// How many rules iptables makes of the words: one for each pair of the addresses that `-s` and
/// `-d` list, apart by commas.
[[nodiscard]] std::size_t rules_made_of(const Words& words, Family family = Family::inet);

/// Most of them, of one rule of a spec. What is written in a few thousand bytes would be millions.
inline constexpr std::size_t max_rules_of_one = 1024;

/// Control characters other than tab, or text that is not UTF-8; empty when there is neither.
[[nodiscard]] std::string byte_refusal(std::string_view text);

/// Why the text may not be (part of) a rule whatever its words are: control characters other than
/// tab, text that is not UTF-8, an open quote, sizes that iptables-restore does not take. Empty
/// when it may.
[[nodiscard]] std::string text_refusal(std::string_view text);

/// Why no chain of ours may have that name; empty when it may.
[[nodiscard]] std::string chain_name_refusal(std::string_view name, Family family = Family::inet);

/// Whether `-j NAME` is a verdict or a target extension of iptables, and so never a chain.
[[nodiscard]] bool is_target(std::string_view name, Family family = Family::inet);

// ---- comments -----------------------------------------------------------------------------------

/// The argument of each `-m comment --comment`.
[[nodiscard]] std::vector<std::string> comments_of(const Words& words);

/// The largest comment that iptables stores; it cuts longer ones without an error.
inline constexpr std::size_t max_comment = 255;

// ---- the text of iptables-save ------------------------------------------------------------------

struct SavedChain {
  std::string name;
  std::optional<std::string> policy;  ///< of built-in chains
  std::vector<std::string> rules;     ///< as saved, without `-A CHAIN` and counters

  bool operator==(const SavedChain&) const = default;
};

struct SavedTable {
  std::string name;
  std::vector<SavedChain> chains;

  bool operator==(const SavedTable&) const = default;
};

/// Reads what iptables-save printed, aware of quotes: a comment may hold a newline. Throws
/// Malformed for anything incomplete or "incompatible": that is not an empty firewall.
[[nodiscard]] std::vector<SavedTable> read_save(std::string_view text);

// ---- the input of iptables-restore --------------------------------------------------------------

/// `*table`, the lines, `COMMIT`.
[[nodiscard]] std::string restore_text(std::string_view table, std::span<const std::string> lines);

/// A rule in saved form as the tail of a restore line. A rule that cannot be written in one line
/// (a comment with a newline in it) becomes an option that no iptables knows: the restore then
/// fails as a whole and says why.
[[nodiscard]] std::string restore_rule(std::string_view rule);

/// The restores of one family and table made one, in the order of their first: chains are declared
/// before rules, and chains are deleted after all else.
[[nodiscard]] std::vector<wire::FirewallRestore> merged(
    std::span<const wire::FirewallRestore> restores);

}  // namespace plumbline::firewall
