// A cursor into a document, for decoders: typed, strict, and every fault reported with its place.
//
// It knows JSON types and ranges; what a value means is the decoder's. A getter that finds a fault
// reports it and returns nothing, so a decoder goes on and finds the next.

#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "plumbline/base/diagnostics.hpp"
#include "plumbline/base/table.hpp"
#include "plumbline/wire/document.hpp"

namespace plumbline::wire {

/// What decoders share while one spec is read.
struct Reading {
  Diagnostics& diagnostics;
  const TableNames& tables;
};

class Entry {
 public:
  Entry(const Node& node, Reading& reading) : node_(&node), reading_(&reading) {}

  [[nodiscard]] const Node& node() const { return *node_; }
  [[nodiscard]] const Origin& origin() const { return node_->origin; }
  [[nodiscard]] const TableNames& tables() const { return reading_->tables; }
  /// The RFC 6901 pointer of this place.
  [[nodiscard]] std::string pointer() const;
  /// The member's name, or empty for an array's element and the root.
  [[nodiscard]] std::string_view key() const { return key_; }

  void error(Code code, std::string message) const;
  void warning(Code code, std::string message) const;
  /// Whether another error would only be counted: Diagnostics::full().
  [[nodiscard]] bool is_full() const { return reading_->diagnostics.full(); }

  // ---- an object
  // What is no object has no members: is_object(), only(), require() and for_each_member() report
  // that as WRONG_TYPE, once between them; find(), has() and the getters by key do not.
  /// Whether this is an object.
  [[nodiscard]] bool is_object() const;
  /// Reports each member whose key is not listed as UNKNOWN_KEY, naming the listed key nearest to
  /// it when one is near.
  void only(std::span<const std::string_view> keys) const;
  void only(std::initializer_list<std::string_view> keys) const {
    only(std::span(keys.begin(), keys.size()));
  }
  [[nodiscard]] bool has(std::string_view key) const;
  /// The member, or nothing. Does not report.
  [[nodiscard]] std::optional<Entry> find(std::string_view key) const;
  /// The member; MISSING_KEY when there is none.
  [[nodiscard]] std::optional<Entry> require(std::string_view key) const;
  /// In the order of the file.
  void for_each_member(const std::function<void(const Entry&)>& visit) const;

  /// Whether this has so many elements or members; else OUT_OF_RANGE, "N `what`, and `most` are the
  /// most: `instead`". For what would cost or break something before its elements are looked at.
  [[nodiscard]] bool has_at_most(std::size_t most, std::string_view what,
                                 std::string_view instead) const;

  // ---- an array
  /// In order. Reports WRONG_TYPE and visits nothing when this is no array.
  void for_each_element(const std::function<void(const Entry&)>& visit) const;

  // ---- this value, as a type: WRONG_TYPE or OUT_OF_RANGE when it is not
  [[nodiscard]] std::optional<bool> boolean() const;
  [[nodiscard]] std::optional<std::string> string() const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::int64_t min, std::int64_t max) const;

  // ---- a member's value, when it is there
  [[nodiscard]] std::optional<bool> boolean(std::string_view key) const;
  [[nodiscard]] std::optional<std::string> string(std::string_view key) const;
  template <class T>
  [[nodiscard]] std::optional<T> integer(std::string_view key, std::int64_t min,
                                         std::int64_t max) const {
    const auto member = find(key);
    if (!member) return std::nullopt;
    const auto value = member->integer(min, max);
    if (!value) return std::nullopt;
    return static_cast<T>(*value);
  }
  /// A member that is text and that T::parse takes; `code` and "expected `what`" when it does not.
  template <class T>
  [[nodiscard]] std::optional<T> parsed(std::string_view key, Code code,
                                        std::string_view what) const {
    const auto member = find(key);
    return member ? member->parsed<T>(code, what) : std::nullopt;
  }
  template <class T>
  [[nodiscard]] std::optional<T> parsed(Code code, std::string_view what) const {
    const auto text = string();
    if (!text) return std::nullopt;
    auto value = T::parse(*text);
    if (!value) error(code, "expected " + std::string(what) + ", not '" + *text + "'");
    return value;
  }

 private:
  Entry(const Node& node, Reading& reading, const Entry& parent, std::string_view key,
        std::size_t index);

  void wrong_type(std::string_view expected) const;

  const Node* node_;
  Reading* reading_;
  std::string pointer_;
  std::string_view key_;
};

}  // namespace plumbline::wire
