// One rule of a chain: from the spec and back, and the comment that makes it ours in a chain that
// is shared. Private to the two kinds of chains.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/firewall/bytes/nftables.hpp"
#include "plumbline/firewall/model/rule.hpp"
#include "plumbline/firewall/text/iptables.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline {

/// The comment of rules and chains of ours, whole or before `: ` and the user's own.
inline constexpr std::string_view mark_comment = "plumbline";

/// The last rule of every chain of ours, as iptables-save or ebtables-save prints it.
[[nodiscard]] std::string_view mark_rule(Family family);

/// Whether any table has a built-in chain of that name.
[[nodiscard]] bool is_builtin_name(std::string_view name);

/// A rule as the spec writes it: text, or an object of `match`, `target` and `comment`. `shared`:
/// the chain, if it is a shared one, where the rule has to have room for our mark. Faults are
/// reported and give nothing.
[[nodiscard]] std::optional<std::string> rule_from_spec(const wire::Entry& entry, Family family,
                                                        std::string_view shared = {});

/// The rules of an array member; nothing when there is none.
[[nodiscard]] RuleList rules_from_spec(const wire::Entry& entry, std::string_view member,
                                       Family family, std::string_view shared = {});

/// Whether the rule has our mark, in text or in code: as a comment or, in ebtables, as a match that
/// says nothing or as what nf_tables keeps with it.
[[nodiscard]] bool carries_our_mark(std::string_view rule);
[[nodiscard]] bool carries_our_mark(const firewall::RuleCode& code);
/// Whether it is nothing but such a comment or match.
[[nodiscard]] bool is_mark_rule(std::string_view rule);
[[nodiscard]] bool is_mark_rule(const firewall::RuleCode& code);

/// What `-j` and `-g` name in the text of a rule; nothing where it cannot be split into words.
[[nodiscard]] std::vector<std::string> targets_of(std::string_view rule);

/// The ipsets that the text of a rule names.
[[nodiscard]] std::vector<std::string> sets_of(std::string_view rule);

/// The rule of a shared chain with our mark before its comment, or as its comment; in ebtables as a
/// match or an interface.
[[nodiscard]] std::string with_our_mark(const std::string& rule, Family family,
                                        std::string_view chain);
/// The rule as it was before with_our_mark().
[[nodiscard]] std::string without_our_mark(const std::string& rule, Family family);

}  // namespace plumbline
