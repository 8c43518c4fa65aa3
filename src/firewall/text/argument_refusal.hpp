// What may not be the argument of an option, whatever the option. Private to the words of rules.
// Each is empty when it may.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::firewall {

[[nodiscard]] std::string limit(std::string_view what, std::string_view value, std::size_t most);

/// Addresses with or without a mask, separated by commas.
[[nodiscard]] std::string address_refusal(std::string_view list);

[[nodiscard]] std::string interface_refusal(std::string_view name);

/// Whether a `!` stands before the option or before its argument.
[[nodiscard]] bool is_negated(const Words& words, const RuleOption& option);

/// refusal() of the words of a rule of ebtables.
[[nodiscard]] std::string ebtables_refusal(const Words& words, const Options& options);

}  // namespace plumbline::firewall
