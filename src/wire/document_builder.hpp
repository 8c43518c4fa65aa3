// What the parser calls with each value of a document: makes the tree of nodes.
//
// It knows no grammar; the reader tells it where each token starts. Private to this layer.

#pragma once

#include <boost/json/error.hpp>
#include <boost/json/string_view.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "json_scanner.hpp"
#include "plumbline/wire/document.hpp"

namespace plumbline::wire {

/// An object or array whose end has not come yet.
struct Open {
  Node node;
  std::string key;  ///< of an object: the member whose value comes next
  Origin key_origin;
  bool has_key = false;
};

class DocumentBuilder {
 public:
  using error_code = boost::json::error_code;
  using string_view = boost::json::string_view;

  static constexpr std::size_t max_object_size = max_document_values;
  static constexpr std::size_t max_array_size = max_document_values;
  static constexpr std::size_t max_key_size = max_document_size;
  static constexpr std::size_t max_string_size = max_document_size;

  DocumentBuilder(std::shared_ptr<const std::string> file, Diagnostics& diagnostics)
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
  [[nodiscard]] TextPlace word_place() const { return word_place_; }
  [[nodiscard]] Origin origin(TextPlace place) const { return {file_, place.line, place.column}; }

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
  TextPlace word_place_;
  bool word_waits_ = false;
  TextPlace place_;
  std::size_t values_ = 0;
};

}  // namespace plumbline::wire
