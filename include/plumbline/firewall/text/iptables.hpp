// iptables as text: rule words, the text of iptables-save, and the input of iptables-restore. With
// Family::bridge it is ebtables, whose options are others; else the family makes no difference.
//
// Words are split exactly as iptables-restore splits them, and written so that it cannot split
// them otherwise. A rule is split where it enters and carried as words (firewall/model/rule.hpp):
// all else here works on words, or on the options among them. Knows which options could leave a
// rule (another table, a command); knows the meaning of no match and no target.

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

/// The words of a text in a spec that is to be (part of) a rule, or why it may not be one whatever
/// its words are: byte_refusal(), an open quote, words_refusal().
struct SplitText {
  Words words;
  std::string refusal;  ///< empty when it may
};
[[nodiscard]] SplitText split_text(std::string_view text);

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

using Options = std::vector<RuleOption>;

/// The options as getopt_long(3) finds them. A word that looks like an option is one, unless an
/// option that is known to take an argument stands before it. Refers to `words`.
/// In a rule of ebtables the argument may have a `!` before it, which is passed over.
[[nodiscard]] Options options_of(const Words& words, Family family = Family::inet);

/// The words with each argument that is joined to its option (`-jACCEPT`, `--protocol=tcp`) made a
/// word of its own: iptables-restore 1.8.9 refuses some of them joined.
[[nodiscard]] Words separated(Words words, Family family = Family::inet);

/// The matches and watchers (`log`, `nflog`) that a rule of ebtables has, each once.
[[nodiscard]] std::vector<std::string_view> ebtables_matches(const Options& options);

/// What a rule's `-j` and `-g` name.
[[nodiscard]] std::vector<std::string> jumps_of(const Options& options);

/// Why the words may not be the rule of a chain: an option that would select another table, run a
/// command or a program; text that iptables would cut or misread without an error. Empty when they
/// may. What it lets pass may still be refused by iptables.
/// Of ebtables also text that ebtables-save would print wrong, so that it is another rule when it
/// is restored, or could not print at all.
/// `options` are those of the words, in that family.
[[nodiscard]] std::string refusal(const Words& words, const Options& options,
                                  Family family = Family::inet);

/// How many rules iptables makes of the words: one for each pair of the addresses that `-s` and
/// `-d` list, apart by commas.
[[nodiscard]] std::size_t rules_made_of(const Options& options, Family family = Family::inet);

/// Most of them, of one rule of a spec. What is written in a few thousand bytes would be millions.
inline constexpr std::size_t max_rules_of_one = 1024;

/// Control characters other than tab, or text that is not UTF-8; empty when there is neither.
[[nodiscard]] std::string byte_refusal(std::string_view text);

/// Sizes that iptables-restore does not take; empty when it does.
[[nodiscard]] std::string words_refusal(const Words& words);

/// Why no chain of ours may have that name; empty when it may.
[[nodiscard]] std::string chain_name_refusal(std::string_view name, Family family = Family::inet);

/// Whether `-j NAME` is a verdict or a target extension of iptables, and so never a chain.
[[nodiscard]] bool is_target(std::string_view name, Family family = Family::inet);

// ---- comments -----------------------------------------------------------------------------------

/// The argument of each `-m comment --comment`.
[[nodiscard]] std::vector<std::string> comments_of(const Options& options);

/// The largest comment that iptables stores; it cuts longer ones without an error.
inline constexpr std::size_t max_comment = 255;

// ---- the text of iptables-save ------------------------------------------------------------------

/// What it printed of one chain.
struct SavedChain {
  std::string table;
  std::string name;
  std::optional<std::string> policy;  ///< of built-in chains
  std::vector<std::string> rules;     ///< as saved, without `-A CHAIN` and counters

  bool operator==(const SavedChain&) const = default;
};

struct Saved {
  std::vector<SavedChain> chains;
  std::string warning;  ///< what is missing but in nobody's way; else empty
};

/// Reads what iptables-save printed, aware of quotes: a comment may hold a newline. Throws
/// Malformed for a text that breaks off, and where it says that it cannot show a table, which
/// iptables-nft-save does in a comment and with exit status 0 (is_incompatible in
/// iptables/xtables-save.c): that is not an empty firewall.
[[nodiscard]] Saved read_save(std::string_view text);

// ---- the input of iptables-restore --------------------------------------------------------------

/// `*table`, the lines, `COMMIT`.
[[nodiscard]] std::string restore_text(std::string_view table, std::span<const std::string> lines);

/// The restores of one family and table made one, in the order of their first: chains are declared
/// before rules, and chains are deleted after all else.
[[nodiscard]] std::vector<wire::FirewallRestore> merged(
    std::span<const wire::FirewallRestore> restores);

}  // namespace plumbline::firewall
