// The mark of rules of ebtables, which has no comments: a match or an interface that holds for
// every frame, and what nf_tables keeps with the rule (docs/decisions/0011-ebtables-marks.md).
// Private to the kinds of chains.

#pragma once

#include <string>
#include <string_view>

#include "plumbline/firewall/bytes/nftables.hpp"

namespace plumbline {

/// The last rule of every chain of ours, as ebtables-save prints it.
inline constexpr std::string_view ebtables_mark_rule = "--mark ! 0x706c6d62/0x0 -j CONTINUE";

/// Whether it has the match or the interface.
[[nodiscard]] bool carries_ebtables_mark(std::string_view rule);
/// What is kept with it is not looked at.
[[nodiscard]] bool carries_ebtables_mark(const firewall::RuleCode& code);
/// Whether it has the match.
[[nodiscard]] bool has_ebtables_mark_match(const firewall::RuleCode& code);

/// The rule of that chain with the match behind its own, where ebtables can save both; else with
/// the interface, where the rule names none such; else as it is.
[[nodiscard]] std::string with_ebtables_mark(const std::string& rule, std::string_view chain);
/// The rule as it was before with_ebtables_mark().
[[nodiscard]] std::string without_ebtables_mark(const std::string& rule);

}  // namespace plumbline
