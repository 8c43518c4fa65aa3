// The parser's template is instantiated here and nowhere else, as it is slow to compile.

#include "plumbline/wire/document.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <utility>

#include "json_scanner.hpp"

namespace plumbline::wire {

const Node* find(const Object& object, std::string_view key) {
  const auto it = std::ranges::find(object, key, &Member::key);
  return it == object.end() ? nullptr : &it->value;
}

std::string pointer_step(std::string_view key) {
  std::string step = "/";
  for (const char c : key) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      step += c;
    }
  }
  return step;
}

namespace {

using boost::json::error_code;
using boost::json::string_view;

/// An object or array whose end has not come yet.
struct Open {
  Node node;
  std::string key;  ///< of an object: the member whose value comes next
  Origin key_origin;
  bool has_key = false;
};

/// What the parser calls with each value; makes the tree. The reader tells it where tokens start.
class Builder {
 public:
  static constexpr std::size_t max_object_size = max_document_values;
  static constexpr std::size_t max_array_size = max_document_values;
  static constexpr std::size_t max_key_size = max_document_size;
  static constexpr std::size_t max_string_size = max_document_size;

  Builder(std::shared_ptr<const std::string> file, Diagnostics& diagnostics)
      : file_(std::move(file)), diagnostics_(&diagnostics) {}

  void starts(const Token& token) {
    if (token.type == Token::Type::word) {
      word_ = token.bytes;
      word_place_ = token.place;
      word_waits_ = true;
    }
    place_ = token.place;
  }

  [[nodiscard]] const std::vector<Open>& open() const { return open_; }
  [[nodiscard]] std::optional<Node>& root() { return root_; }
  /// A word that the parser has not taken for a value, so far: it may not be one.
  [[nodiscard]] bool word_waits() const { return word_waits_; }
  [[nodiscard]] std::string_view word() const { return word_; }
  [[nodiscard]] Place word_place() const { return word_place_; }
  [[nodiscard]] Origin origin(Place place) const { return {file_, place.line, place.column}; }

  // ---- what basic_parser asks of a handler
  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& ec) { return begin(Object(), ec); }
  bool on_array_begin(error_code& ec) { return begin(Array(), ec); }
  bool on_object_end(std::size_t, error_code& ec) {
    drop_duplicates(std::get<Object>(open_.back().node.value));
    return end(ec);
  }
  bool on_array_end(std::size_t, error_code& ec) { return end(ec); }
  bool on_key_part(string_view part, std::size_t, error_code&) { return gather(part); }
  bool on_key(string_view part, std::size_t, error_code& ec) {
    gather(part);
    if (!check_text(ec)) return false;
    open_.back().key = std::exchange(text_, {});
    open_.back().key_origin = origin(place_);
    open_.back().has_key = true;
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) { return gather(part); }
  bool on_string(string_view part, std::size_t, error_code& ec) {
    gather(part);
    return check_text(ec) && add({origin(place_), 0, std::exchange(text_, {})}, ec);
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t value, string_view, error_code& ec) { return add_word(value, ec); }
  bool on_uint64(std::uint64_t value, string_view, error_code& ec) { return add_word(value, ec); }
  bool on_double(double value, string_view, error_code& ec) {
    const bool is_integer = word_.find_first_of(".eE") == std::string_view::npos;
    if (is_integer || !std::isfinite(value)) return add_word(HugeNumber(), ec);
    return add_word(value, ec);
  }
  bool on_bool(bool value, error_code& ec) { return add_word(value, ec); }
  bool on_null(error_code& ec) { return add_word(nullptr, ec); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  bool gather(string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }
  /// No value of a spec can hold a NUL, and what is given to the kernel would end there.
  bool check_text(error_code& ec) const {
    if (text_.find('\0') == std::string::npos) return true;
    ec = boost::json::error::string_too_large;
    return false;
  }
  template <class Container>
  bool begin(Container container, error_code& ec) {
    if (!count(ec)) return false;
    open_.push_back({{origin(place_), 0, std::move(container)}, {}, {}, false});
    return true;
  }
  bool end(error_code&) {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    place(std::move(node));
    return true;
  }
  template <class T>
  bool add_word(T value, error_code& ec) {
    word_waits_ = false;
    return add({origin(word_place_), 0, value}, ec);
  }
  bool add(Node node, error_code& ec) {
    if (!count(ec)) return false;
    place(std::move(node));
    return true;
  }
  bool count(error_code& ec) {
    if (++values_ <= max_document_values) return true;
    ec = boost::json::error::array_too_large;
    return false;
  }
  void place(Node node);
  void drop_duplicates(Object& object);
  [[nodiscard]] std::string pointer() const;

  std::shared_ptr<const std::string> file_;
  Diagnostics* diagnostics_;
  std::vector<Open> open_;
  std::optional<Node> root_;
  std::string text_;
  std::string_view word_;
  Place word_place_;
  bool word_waits_ = false;
  Place place_;
  std::size_t values_ = 0;
};

void Builder::place(Node node) {
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Open& parent = open_.back();
  if (auto* const object = std::get_if<Object>(&parent.node.value)) {
    object->push_back({std::move(parent.key), std::move(parent.key_origin), std::move(node)});
    parent.has_key = false;
    return;
  }
  auto& array = std::get<Array>(parent.node.value);
  node.index = static_cast<std::uint32_t>(array.size());
  array.push_back(std::move(node));
}

/// The pointer of the innermost open object or array.
std::string Builder::pointer() const {
  std::string pointer;
  for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
    const auto* const array = open_[i].node.get<Array>();
    pointer += pointer_step(array != nullptr ? std::to_string(array->size()) : open_[i].key);
  }
  return pointer;
}

/// Reports every member whose key an earlier one has, and removes it. By sorting, as an object may
/// have a million members.
void Builder::drop_duplicates(Object& object) {
  std::vector<std::size_t> order(object.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, std::ranges::less{},
                           [&](std::size_t i) -> std::string_view { return object[i].key; });
  std::vector<std::pair<std::size_t, std::size_t>> again;  // the later one, the first one
  std::size_t first = 0;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (object[order[i]].key == object[order[first]].key) {
      again.emplace_back(order[i], order[first]);
    } else {
      first = i;
    }
  }
  if (again.empty()) return;
  std::ranges::sort(again);
  for (const auto& [later, earlier] : again) {
    const Member& member = object[later];
    diagnostics_->error(
        Code::duplicate_key,
        "'" + member.key + "' is already given at " + format(object[earlier].key_origin),
        member.key_origin, pointer() + pointer_step(member.key));
  }
  Object unique;
  auto next = again.begin();
  for (std::size_t i = 0; i < object.size(); ++i) {
    if (next != again.end() && next->first == i) {
      ++next;
    } else {
      unique.push_back(std::move(object[i]));
    }
  }
  object = std::move(unique);
}

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

Place place_of(std::string_view text, std::size_t at) {
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
  [[nodiscard]] const Builder& builder() const { return parser_.handler(); }
  /// False after an error, which is reported.
  bool take(const Token& token);
  void remember(const Token& token);
  bool finish();
  void explain(const Token& token, const error_code& ec, std::size_t consumed);
  [[nodiscard]] std::string unexpected(const Token& token) const;
  [[nodiscard]] std::string_view expected() const;
  bool fail(std::string message, Place place, Code code = Code::syntax_error) {
    diagnostics_->error(code, std::move(message), builder().origin(place));
    return false;
  }

  JsonScanner scanner_;
  Diagnostics* diagnostics_;
  boost::json::basic_parser<Builder> parser_;
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
    return fail(shown(token.bytes) + " stands behind the end of the document", token.place);
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
  const Place inside{token.place.line, token.place.column + static_cast<std::uint32_t>(consumed)};
  if (ec == error::too_deep) {
    fail("nested deeper than " + std::to_string(max_document_depth) + " levels", token.place);
  } else if (ec == error::array_too_large || ec == error::object_too_large) {
    fail("more than " + std::to_string(max_document_values) + " values", token.place,
         Code::too_large);
  } else if (ec == error::string_too_large) {
    fail("this text contains U+0000, which nothing in a spec can", token.place);
  } else if (builder().word_waits() && token.type != Token::Type::word) {
    fail(shown(builder().word()) + " is not a JSON value", builder().word_place());
  } else if (token.type == Token::Type::text && consumed > 0) {
    const bool surrogate = ec == error::illegal_leading_surrogate ||
                           ec == error::illegal_trailing_surrogate ||
                           ec == error::expected_utf16_escape;
    const auto byte =
        static_cast<unsigned char>(token.bytes[std::min(consumed, token.bytes.size() - 1)]);
    if (surrogate) {
      fail("this \\u escape is half of a surrogate pair", inside);
    } else if (byte < 0x20U) {
      fail("a control character in a text must be escaped", inside);
    } else {
      fail("no such escape sequence in JSON", inside);
    }
  } else {
    fail(unexpected(token), token.place);
  }
}

}  // namespace

std::optional<Node> read_document(std::string_view text, std::shared_ptr<const std::string> file,
                                  Diagnostics& diagnostics) {
  const auto refuse = [&](Code code, std::string message, Place place) -> std::optional<Node> {
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
