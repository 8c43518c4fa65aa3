// What makes rules and chains ours: a comment, and in ebtables, which has none, a match or an
// interface that holds for every frame, or what nf_tables keeps with the rule
// (docs/decisions/0011-ebtables-marks.md). Private to rules and the two kinds of chains.

#pragma once

#include <string>
#include <string_view>

#include "plumbline/firewall/bytes/nftables.hpp"
#include "plumbline/firewall/model/rule.hpp"
#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline {

/// The last rule of every chain of ours, as iptables-save or ebtables-save prints it.
[[nodiscard]] std::string_view mark_rule(Family family);

/// Whether the comment is ours, alone or before the user's own.
[[nodiscard]] bool is_mark_comment(std::string_view comment);
/// The bytes that our mark takes from a comment of the user's.
[[nodiscard]] std::size_t mark_comment_size();

/// Whether the rule has our mark, in words or in code: as a comment or, in ebtables, as a match
/// that says nothing or as what nf_tables keeps with it. `options`: those of the words in iptables.
[[nodiscard]] bool carries_our_mark(const firewall::Words& words, const firewall::Options& options);
[[nodiscard]] bool carries_our_mark(const firewall::RuleCode& code);
/// Whether it is nothing but such a comment or match.
[[nodiscard]] bool is_mark_rule(std::string_view rule);
[[nodiscard]] bool is_mark_rule(const firewall::RuleCode& code);

/// The rule of a shared chain with our mark before its comment, or as its comment; in ebtables as a
/// match or an interface.
[[nodiscard]] FirewallRule with_our_mark(const FirewallRule& rule, Family family,
                                         std::string_view chain);
/// The text of the rule as it was before with_our_mark().
[[nodiscard]] std::string without_our_mark(const FirewallRule& rule, Family family);

/// Whether words of ebtables have the match or the interface.
[[nodiscard]] bool carries_ebtables_mark(const firewall::Words& words);
/// The words of a rule of that chain with the match behind its own, where ebtables can save both;
/// else with the interface, where the rule names none such; else as they are.
[[nodiscard]] firewall::Words with_ebtables_mark(firewall::Words words, std::string_view chain);

}  // namespace plumbline
