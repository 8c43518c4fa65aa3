// A JSON document that remembers where everything stands in its file.
//
// JSON with `//` and `/* */` comments and trailing commas, read by Boost.JSON's event parser.
// Unlike a DOM of that library it keeps positions and reports duplicate keys. It knows no key and
// no meaning.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "plumbline/base/diagnostics.hpp"

namespace plumbline::wire {

struct Member;
struct Node;
using Array = std::vector<Node>;
/// In the order of the file; keys are unique.
using Object = std::vector<Member>;

/// A number that is none of the three: an integer beyond 64 bits or a real beyond double.
struct HugeNumber {
  bool operator==(const HugeNumber&) const = default;
};

struct Node {
  Origin origin;            ///< of its first byte
  std::uint32_t index = 0;  ///< its place in the array of its file, for pointers into that file
  std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, HugeNumber, std::string,
               Array, Object>
      value;  ///< std::uint64_t only for what std::int64_t cannot hold

  template <class T>
  [[nodiscard]] const T* get() const {
    return std::get_if<T>(&value);
  }
};

struct Member {
  std::string key;
  Origin key_origin;
  Node value;
};

/// The member of that key, or null.
[[nodiscard]] const Node* find(const Object& object, std::string_view key);

/// A key or an index as one step of an RFC 6901 pointer, with the slash before it.
[[nodiscard]] std::string pointer_step(std::string_view key);

/// Largest document, in bytes; beyond it TOO_LARGE.
inline constexpr std::size_t max_document_size = std::size_t{16} << 20U;
/// Most values in a document, which bounds the memory it takes; beyond it TOO_LARGE.
inline constexpr std::size_t max_document_values = 2'000'000;
/// Deepest nesting; beyond it SYNTAX_ERROR. The spec format needs nine.
inline constexpr std::size_t max_document_depth = 32;

/// Reads `text`. On a syntax error, invalid UTF-8, U+0000 in a text or a document too large: an
/// error is added and nothing is returned. Duplicate keys are all reported; the first value stays.
/// Nothing is returned, without an error, for a text of white space and comments only. A byte
/// order mark at the start is skipped and not counted.
[[nodiscard]] std::optional<Node> read_document(std::string_view text,
                                                std::shared_ptr<const std::string> file,
                                                Diagnostics& diagnostics);

}  // namespace plumbline::wire
