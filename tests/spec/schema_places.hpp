// The places of a spec, each with what the JSON Schema says of it, and what load() says of a spec.

#pragma once

#include <boost/json.hpp>
#include <functional>
#include <string>
#include <vector>

#include "plumbline/spec/load.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/spec_samples.hpp"

namespace plumbline::spec {

struct Place {
  std::string pointer;
  boost::json::value& value;
  testing::JsonSchema::Nodes nodes;
};

/// Each before what is in it. A visitor that changes the value puts it back.
inline void for_each_place(const testing::JsonSchema& schema, const Place& place,
                           const std::function<void(const Place&)>& visit) {
  visit(place);
  if (auto* const object = place.value.if_object()) {
    for (auto& member : *object) {
      const std::string_view key(member.key().data(), member.key().size());
      for_each_place(schema,
                     {place.pointer + wire::pointer_step(key), member.value(),
                      schema.member(place.nodes, key)},
                     visit);
    }
  } else if (auto* const array = place.value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      for_each_place(
          schema,
          {place.pointer + "/" + std::to_string(i), (*array)[i], schema.element(place.nodes)},
          visit);
    }
  }
}

inline void for_each_place(const testing::JsonSchema& schema, boost::json::value& document,
                           const std::function<void(const Place&)>& visit) {
  for_each_place(schema, {"", document, schema.root()}, visit);
}

inline std::vector<Diagnostic> errors_of(const boost::json::value& document) {
  auto files = testing::files_of_samples();
  files.texts["a.json"] = boost::json::serialize(document);
  Diagnostics diagnostics;
  static_cast<void>(load({"a.json"}, files, diagnostics));
  return diagnostics.errors;
}

}  // namespace plumbline::spec
