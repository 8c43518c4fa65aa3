// Integers out of text, whole or not at all.

#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace plumbline {

/// The whole of `text` as an unsigned integer in base 10, or in base 16 behind `0x`. No sign, no
/// white space, and no leading zeros in decimal: what a person could read as octal is refused.
template <class T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    return std::nullopt;
  }
  if (text.empty() || text.front() == '-' || text.front() == '+') return std::nullopt;
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace plumbline
