// The JSON Schema (draft 2020-12) of one spec file, for editors and CI.
//
// Its text is src/spec/schema.json, built in. Nothing here validates: load() does, and knows more
// than a schema can say. tests/spec/schema_keys_test.cpp and its neighbours hold the two together.

#pragma once

#include <string_view>

namespace plumbline::spec {

[[nodiscard]] std::string_view schema();

}  // namespace plumbline::spec
