// Words of policy rules that both their keys and their spec write.

#pragma once

#include <string>

#include "plumbline/kinds/rule.hpp"

namespace plumbline::detail {

/// `80`, or `80-90`.
template <class T>
[[nodiscard]] std::string format_range(const Range<T>& range) {
  std::string text = std::to_string(range.first);
  if (range.last != range.first) text += '-' + std::to_string(range.last);
  return text;
}

/// `0xca6c`, with `/mask` unless the mask is whole.
[[nodiscard]] std::string format_fwmark(const Rule& rule);

/// The name for the few that everybody knows, else the number. Never looked up on the host.
[[nodiscard]] std::string format_ip_protocol(std::uint8_t protocol);
[[nodiscard]] std::optional<std::uint8_t> parse_ip_protocol(std::string_view text);

}  // namespace plumbline::detail
