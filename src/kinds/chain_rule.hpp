// One rule of a chain: from the spec and back, and the comment that makes it ours in a chain that
// is shared. Private to the two kinds of chains.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/kinds/firewall_rule.hpp"
#include "plumbline/wire/entry.hpp"
#include "plumbline/wire/iptables.hpp"
#include "plumbline/wire/nftables.hpp"

namespace plumbline {

/// The comment of rules and chains of ours, whole or before `: ` and the user's own.
inline constexpr std::string_view mark_comment = "plumbline";

/// The last rule of every chain of ours, as iptables-save prints it.
inline constexpr std::string_view mark_rule = "-m comment --comment plumbline";

/// Whether any table has a built-in chain of that name.
[[nodiscard]] bool is_builtin_name(std::string_view name);

/// A rule as the spec writes it: text, or an object of `match`, `target` and `comment`. `shared`:
/// its comment will share the space with our mark. Faults are reported and give nothing.
[[nodiscard]] std::optional<std::string> rule_from_spec(const wire::Entry& entry, bool shared);

/// The rules of an array member; nothing when there is none.
[[nodiscard]] RuleList rules_from_spec(const wire::Entry& entry, std::string_view member,
                                       bool shared);

/// Whether a comment of the rule is our mark, in text or in code.
[[nodiscard]] bool carries_mark_comment(std::string_view rule);
[[nodiscard]] bool carries_mark_comment(const wire::RuleCode& code);
/// Whether the code is nothing but such a comment.
[[nodiscard]] bool is_mark_rule(const wire::RuleCode& code);

/// What `-j` and `-g` name in the text of a rule; nothing where it cannot be split into words.
[[nodiscard]] std::vector<std::string> targets_of(std::string_view rule);

/// The ipsets that the text of a rule names.
[[nodiscard]] std::vector<std::string> sets_of(std::string_view rule);

/// The rule with our mark before its comment, or as its comment.
[[nodiscard]] std::string with_mark_comment(const std::string& rule);
/// The rule as it was before with_mark_comment().
[[nodiscard]] std::string without_mark_comment(const std::string& rule);

}  // namespace plumbline
