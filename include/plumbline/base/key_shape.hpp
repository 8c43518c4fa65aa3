// What may be a key, so that no message, plan or log shows it, in whatever field somebody put it.
//
// A guess by shape: nothing is parsed. It has to find a key that was cut, broken in two or written
// in another alphabet, and leave names, paths and words alone.

#pragma once

#include <string>
#include <string_view>

namespace plumbline {

/// What stands in the place of what may be a key.
inline constexpr std::string_view hidden_key = "(what stands here may be a key)";

/// Whether `text`, without white space, is mostly a key: 20 characters or more of base64 or its
/// variant for URLs as random bytes give them, or 32 hexadecimal digits.
[[nodiscard]] bool may_be_key(std::string_view text);

/// `text` with `hidden_key` for each stretch of letters, digits and `+/=_-~` that may be a key.
[[nodiscard]] std::string without_keys(std::string_view text);

/// The same of a JSON pointer, each step by itself: in base64 a slash is written `~1` there.
[[nodiscard]] std::string pointer_without_keys(std::string_view pointer);

}  // namespace plumbline
