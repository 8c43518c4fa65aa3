// The options that may be in a rule of ebtables, which knows its extensions from the start: none is
// loaded by name, and there is no `-m`. Private to the words of rules.

#pragma once

#include <cstdint>
#include <string_view>

namespace plumbline::firewall {

struct EbtablesOption {
  enum class Takes : std::uint8_t { nothing, anything, interface, address, prefix, target };

  std::string_view name;
  /// The match or watcher it belongs to; empty for options of ebtables itself and of targets.
  std::string_view match;
  Takes takes = Takes::anything;
};

/// By its whole name without the dashes, of one letter or long; null where there is none.
[[nodiscard]] const EbtablesOption* ebtables_option(std::string_view name);

}  // namespace plumbline::firewall
