// JSON Schema for tests: whether a schema accepts a value (by valijson), and what it says of one
// place in a document.
//
// valijson knows draft 7 and passes over keywords that it does not know: keywords() is for a test
// that a schema uses none but those that mean the same there and in draft 2020-12.

#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/wire/document.hpp"

namespace plumbline::testing {

class JsonSchema {
 public:
  explicit JsonSchema(std::string_view text);
  JsonSchema(const JsonSchema&) = delete;
  JsonSchema& operator=(const JsonSchema&) = delete;
  ~JsonSchema();

  [[nodiscard]] const boost::json::value& text() const { return text_; }
  [[nodiscard]] bool accepts(const boost::json::value& value) const;
  /// Why not, a line each.
  [[nodiscard]] std::string faults(const boost::json::value& value) const;

  /// Every keyword that any schema in it uses.
  [[nodiscard]] std::set<std::string> keywords() const;
  /// Every schema in it that is an object, with its pointer.
  [[nodiscard]] std::vector<std::pair<std::string, const boost::json::object*>> schemas() const;

  /// Schemas that hold for one place, `$ref`, `allOf`, `anyOf` and `oneOf` followed. Conditions
  /// are left out.
  using Nodes = std::vector<const boost::json::object*>;
  [[nodiscard]] Nodes root() const;
  [[nodiscard]] Nodes member(const Nodes& nodes, std::string_view key) const;
  [[nodiscard]] Nodes element(const Nodes& nodes) const;
  /// Keys of `properties` that are not refused.
  [[nodiscard]] static std::set<std::string> keys(const Nodes& nodes);
  /// Whether it takes other keys than those.
  [[nodiscard]] static bool is_open(const Nodes& nodes);

 private:
  void follow(const boost::json::value& node, Nodes& nodes) const;

  boost::json::value text_;
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

/// A document as Boost.JSON has it, without places.
[[nodiscard]] boost::json::value plain(const wire::Node& node);

}  // namespace plumbline::testing
