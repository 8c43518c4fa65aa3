#include "json_scanner.hpp"

#include <algorithm>

namespace plumbline::wire {

namespace {

constexpr std::string_view blanks = " \t\r\n";

/// Generous: `0x1f`, `+1` and `yes` are one token each, so that a message can show them whole.
bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '+' || c == '-' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

Token JsonScanner::cut_text() const {
  std::size_t at = 1;
  while (at < rest_.size() && rest_[at] != '"' && rest_[at] != '\n') {
    at += rest_[at] == '\\' && at + 1 < rest_.size() && rest_[at + 1] != '\n' ? 2U : 1U;
  }
  const bool closed = at < rest_.size() && rest_[at] == '"';
  return {Token::Type::text, rest_.substr(0, closed ? at + 1 : at), {}, closed};
}

Token JsonScanner::cut_comment() const {
  if (rest_[1] == '/') {
    return {Token::Type::comment, rest_.substr(0, rest_.find('\n')), {}, true};
  }
  const auto end = rest_.find("*/", 2);
  const bool closed = end != std::string_view::npos;
  return {Token::Type::comment, rest_.substr(0, closed ? end + 2 : end), {}, closed};
}

Token JsonScanner::cut() const {
  const char first = rest_.front();
  if (first == '"') return cut_text();
  if (first == '/' && rest_.size() > 1 && (rest_[1] == '/' || rest_[1] == '*')) {
    return cut_comment();
  }
  if (blanks.find(first) != std::string_view::npos) {
    return {Token::Type::space, rest_.substr(0, rest_.find_first_not_of(blanks)), {}, true};
  }
  if (is_word(first)) {
    const auto* const end = std::find_if_not(rest_.begin(), rest_.end(), is_word);
    const auto size = static_cast<std::size_t>(end - rest_.begin());
    return {Token::Type::word, rest_.substr(0, size), {}, true};
  }
  return {Token::Type::other, rest_.substr(0, 1), {}, true};
}

std::optional<Token> JsonScanner::next() {
  if (rest_.empty()) return std::nullopt;
  Token token = cut();
  token.place = place_;
  rest_.remove_prefix(token.bytes.size());
  const auto newline = token.bytes.rfind('\n');
  if (newline == std::string_view::npos) {
    place_.column += static_cast<std::uint32_t>(token.bytes.size());
  } else {
    place_.line += static_cast<std::uint32_t>(std::ranges::count(token.bytes, '\n'));
    place_.column = static_cast<std::uint32_t>(token.bytes.size() - newline);
  }
  return token;
}

}  // namespace plumbline::wire
