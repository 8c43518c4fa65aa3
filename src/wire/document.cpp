// The parser's template is instantiated here and nowhere else, as it is slow to compile.

#include "plumbline/wire/document.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <utility>

#include "document_builder.hpp"

namespace plumbline::wire {

namespace {

using boost::json::error_code;

/// Bytes that do not belong to well-formed UTF-8 start here. Only asked when there are some.
std::size_t first_invalid(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t length = 1;
    while (length <= 4 && !is_utf8(text.substr(at, length))) ++length;
    if (length > 4) break;
    at += length;
  }
  return at;
}

TextPlace place_of(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto newline = before.rfind('\n');
  const std::size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
  return {static_cast<std::uint32_t>(1 + std::ranges::count(before, '\n')),
          static_cast<std::uint32_t>(1 + at - line_start)};
}

/// A token as a message shows it: not too long.
std::string shown(std::string_view bytes) {
  constexpr std::size_t most = 40;
  if (bytes.size() <= most) return "'" + std::string(bytes) + "'";
  std::size_t cut = most;
  while (cut > 0 && (static_cast<unsigned char>(bytes[cut]) & 0xc0U) == 0x80U) --cut;
  return "'" + std::string(bytes.substr(0, cut)) + "…'";
}

/// The parser refuses an exponent that no int holds; we want it to be a number out of range. So
/// it gets one of nine digits, which no double holds either.
std::string with_short_exponent(std::string_view word) {
  constexpr std::size_t most = 9;
  const auto e = word.find_first_of("eE");
  if (e == std::string_view::npos) return std::string(word);
  auto digits = word.substr(e + 1);
  if (digits.starts_with('+') || digits.starts_with('-')) digits.remove_prefix(1);
  const bool all_digits = std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!all_digits || digits.size() <= most) return std::string(word);
  const auto head = word.substr(0, word.size() - digits.size());
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return std::string(head) + (digits.size() > most ? "999999999" : std::string(digits));
}

std::string behind_the_end(const Token& token) {
  return shown(token.bytes) + " stands behind the end of the document";
}

/// What the parser did not take at `at` in a text.
std::string_view fault_in_text(std::string_view text, std::size_t at, const error_code& ec) {
  constexpr std::string_view half = "the \\u escape before this is half of a surrogate pair";
  if (ec == boost::json::error::illegal_trailing_surrogate) return half;
  constexpr std::size_t escape_size = 6;
  if (at >= escape_size) {
    const auto before = text.substr(at - escape_size, escape_size);
    const bool surrogate = before.starts_with("\\ud") || before.starts_with("\\uD");
    if (surrogate) return half;
  }
  const auto byte = static_cast<unsigned char>(text[std::min(at, text.size() - 1)]);
  if (byte < 0x20U) return "a control character in a text must be escaped";
  return "no such escape sequence in JSON";
}

class Reader {
 public:
  Reader(std::string_view text, std::shared_ptr<const std::string> file, Diagnostics& diagnostics)
      : scanner_(text),
        diagnostics_(&diagnostics),
        parser_(options(), std::move(file), diagnostics) {}

  std::optional<Node> read();

 private:
  static boost::json::parse_options options() {
    boost::json::parse_options options;
    options.max_depth = max_document_depth;
    options.allow_trailing_commas = true;
    return options;
  }
  [[nodiscard]] const DocumentBuilder& builder() const { return parser_.handler(); }
  /// False after an error, which is reported.
  bool take(const Token& token);
  void remember(const Token& token);
  bool finish();
  void explain(const Token& token, const error_code& ec, std::size_t consumed);
  [[nodiscard]] std::string unexpected(const Token& token) const;
  [[nodiscard]] std::string_view expected() const;
  bool fail(std::string message, TextPlace place, Code code = Code::syntax_error) {
    diagnostics_->error(code, std::move(message), builder().origin(place));
    return false;
  }

  JsonScanner scanner_;
  Diagnostics* diagnostics_;
  boost::json::basic_parser<DocumentBuilder> parser_;
  /// What came last: `{`, `[`, `,`, `:`, `k` for a key, `v` for a value, 0 at the start.
  char last_ = 0;
};

std::optional<Node> Reader::read() {
  while (const auto token = scanner_.next()) {
    if (!take(*token)) return std::nullopt;
  }
  if (last_ == 0 || !finish()) return std::nullopt;
  return std::move(parser_.handler().root());
}

bool Reader::take(const Token& token) {
  const bool blank = token.type == Token::Type::space || token.type == Token::Type::comment;
  if (!token.closed && token.type == Token::Type::comment) {
    return fail("this comment is not closed by '*/'", token.place);
  }
  if (blank && last_ == 0) return true;
  if (!blank && !builder().word_waits() && builder().open().empty() && last_ == 'v') {
    return fail(behind_the_end(token), token.place);
  }
  if (!token.closed) return fail("this text is not closed by '\"' on its line", token.place);
  if (!blank) parser_.handler().starts(token);
  std::string bytes = " ";
  if (token.type == Token::Type::word) {
    bytes = with_short_exponent(token.bytes);
  } else if (!blank) {
    bytes = token.bytes;
  }
  error_code ec;
  const std::size_t consumed = parser_.write_some(true, bytes.data(), bytes.size(), ec);
  if (ec || consumed < bytes.size()) {
    explain(token, ec, consumed);
    return false;
  }
  remember(token);
  return true;
}

void Reader::remember(const Token& token) {
  switch (token.type) {
    case Token::Type::space:
    case Token::Type::comment:
      return;
    case Token::Type::text:
      last_ = !builder().open().empty() && builder().open().back().has_key ? 'k' : 'v';
      return;
    case Token::Type::word:
      last_ = 'v';
      return;
    case Token::Type::other:
      last_ = token.bytes[0] == '}' || token.bytes[0] == ']' ? 'v' : token.bytes[0];
      return;
  }
}

bool Reader::finish() {
  error_code ec;
  parser_.write_some(false, nullptr, 0, ec);
  if (builder().word_waits()) {
    return fail(shown(builder().word()) + " is not a JSON value", builder().word_place());
  }
  if (!ec && builder().open().empty()) return true;
  const Node& unclosed = builder().open().back().node;
  const std::string_view bracket = unclosed.get<Array>() != nullptr ? "'['" : "'{'";
  return fail("the document ends here, but the " + std::string(bracket) + " at line " +
                  std::to_string(unclosed.origin.line) + ", column " +
                  std::to_string(unclosed.origin.column) + " is not closed",
              scanner_.place());
}

std::string_view Reader::expected() const {
  if (last_ == 0) return "a value";
  if (last_ == 'k') return "':'";
  if (last_ == ':') return "a value";
  const bool in_array =
      !builder().open().empty() && builder().open().back().node.get<Array>() != nullptr;
  if (last_ == 'v') return in_array ? "',' or ']'" : "',' or '}'";
  if (in_array) return last_ == '[' ? "a value or ']'" : "a value";
  return "a key in double quotes";
}

std::string Reader::unexpected(const Token& token) const {
  const std::string_view wanted = expected();
  if (token.type == Token::Type::word && wanted.starts_with("a value")) {
    return shown(token.bytes) + " is not a JSON value (text needs double quotes)";
  }
  return "expected " + std::string(wanted) + ", not " + shown(token.bytes);
}

void Reader::explain(const Token& token, const error_code& ec, std::size_t consumed) {
  using boost::json::error;
  const TextPlace inside{token.place.line,
                         token.place.column + static_cast<std::uint32_t>(consumed)};
  if (ec == error::too_deep) {
    fail("nested deeper than " + std::to_string(max_document_depth) + " levels", token.place);
  } else if (ec == error::array_too_large || ec == error::object_too_large) {
    fail("more than " + std::to_string(max_document_values) + " values", token.place,
         Code::too_large);
  } else if (ec == error::string_too_large) {
    fail("this text contains U+0000, which nothing in a spec can", token.place);
  } else if (builder().word_waits() && token.type != Token::Type::word) {
    fail(shown(builder().word()) + " is not a JSON value", builder().word_place());
  } else if (builder().open().empty() && last_ == 'v') {
    fail(behind_the_end(token), token.place);
  } else if (token.type == Token::Type::text && consumed > 0) {
    fail(std::string(fault_in_text(token.bytes, consumed, ec)), inside);
  } else {
    fail(unexpected(token), token.place);
  }
}

}  // namespace

std::optional<Node> read_document(std::string_view text, std::shared_ptr<const std::string> file,
                                  Diagnostics& diagnostics) {
  const auto refuse = [&](Code code, std::string message, TextPlace place) -> std::optional<Node> {
    diagnostics.error(code, std::move(message), {file, place.line, place.column});
    return std::nullopt;
  };
  if (text.size() > max_document_size) {
    return refuse(Code::too_large,
                  "larger than " + std::to_string(max_document_size >> 20U) + " MiB", {});
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (!is_utf8(text)) {
    return refuse(Code::syntax_error, "the bytes from here on are not UTF-8",
                  place_of(text, first_invalid(text)));
  }
  return Reader(text, file, diagnostics).read();
}

}  // namespace plumbline::wire
