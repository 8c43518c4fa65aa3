// JSON text cut into tokens, each with its place: what the document reader hands to the parser.
//
// Knows where a token ends and nothing of the grammar. Private to this layer.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace plumbline::wire {

/// Line and column from 1, the column in bytes.
struct TextPlace {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

struct Token {
  enum class Type : std::uint8_t {
    space,
    comment,
    text,   ///< in double quotes
    word,   ///< a number or a literal, well-formed or not
    other,  ///< one byte: punctuation, or what does not belong
  };

  Type type = Type::other;
  std::string_view bytes;
  TextPlace place;
  /// False for a text or comment whose end is missing; a text ends with its line at the latest.
  bool closed = true;
};

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : rest_(text) {}

  /// The next token, or nothing at the end.
  std::optional<Token> next();
  /// Where the next token starts.
  [[nodiscard]] TextPlace place() const { return place_; }

 private:
  /// The token at the start of `rest_`; its place is set by next().
  [[nodiscard]] Token cut() const;
  [[nodiscard]] Token cut_text() const;
  [[nodiscard]] Token cut_comment() const;

  std::string_view rest_;
  TextPlace place_;
};

}  // namespace plumbline::wire
