// The published JSON Schema by itself: it is the file, it is a strict one, its examples are good,
// and it accepts every spec that we publish.

#include "plumbline/spec/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "tests/support/json_schema.hpp"
#include "tests/support/spec_samples.hpp"

namespace plumbline::spec {

namespace json = boost::json;
using plumbline::testing::JsonSchema;
using ::testing::IsSubsetOf;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream stream(std::string(PLUMBLINE_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The schema in another's place: `$ref`s go on to find their definitions.
std::string schema_of(const json::value& all, const json::object& part) {
  json::object schema = part;
  schema["$defs"] = all.at("$defs");
  return std::string(json::serialize(schema));
}

}  // namespace

TEST(Schema, IsTheFileThatIsInstalled) { EXPECT_EQ(schema(), text_of("src/spec/schema.json")); }

TEST(Schema, UsesNoKeywordThatDraft7AndDraft2020UnderstandDifferently) {
  EXPECT_THAT(
      JsonSchema(schema()).keywords(),
      IsSubsetOf(
          {"$schema",    "$ref",       "$defs",         "title",         "description",
           "default",    "examples",   "type",          "enum",          "const",
           "required",   "properties", "items",         "minItems",      "maxItems",
           "pattern",    "maxLength",  "minLength",     "minimum",       "maximum",
           "multipleOf", "allOf",      "anyOf",         "not",           "if",
           "then",       "else",       "propertyNames", "minProperties", "additionalProperties"}));
}

/// Draft 7 passes over whatever stands beside `$ref`.
TEST(Schema, HasOnlyWordsForPeopleBesideAReference) {
  const JsonSchema whole(schema());
  for (const auto& [pointer, part] : whole.schemas()) {
    if (!part->contains("$ref")) continue;
    for (const auto& member : *part) {
      EXPECT_THAT((std::set<std::string>{"$ref", "description", "default", "examples"}),
                  ::testing::Contains(std::string(member.key())))
          << pointer;
    }
  }
}

TEST(Schema, SaysOfEveryObjectWhichKeysItTakes) {
  const JsonSchema whole(schema());
  std::size_t objects = 0;
  for (const auto& [pointer, part] : whole.schemas()) {
    const auto* const type = part->if_contains("type");
    if (type == nullptr || *type != "object") continue;
    ++objects;
    EXPECT_TRUE(part->contains("additionalProperties")) << pointer;
    EXPECT_TRUE(part->at("additionalProperties") == json::value(false) ||
                part->contains("propertyNames"))
        << pointer << " takes any key";
  }
  EXPECT_GT(objects, 20U);
}

TEST(Schema, UsesEveryDefinition) {
  const JsonSchema whole(schema());
  std::set<std::string> used;
  for (const auto& [pointer, part] : whole.schemas()) {
    if (const auto* const ref = part->if_contains("$ref")) used.emplace(ref->as_string().c_str());
  }
  for (const auto& definition : whole.text().at("$defs").as_object()) {
    EXPECT_TRUE(used.contains("#/$defs/" + std::string(definition.key()))) << definition.key();
  }
}

TEST(Schema, AcceptsItsOwnExamplesAndDefaults) {
  const JsonSchema whole(schema());
  std::size_t examples = 0;
  for (const auto& [pointer, part] : whole.schemas()) {
    if (!part->contains("examples") && !part->contains("default")) continue;
    const JsonSchema own(schema_of(whole.text(), *part));
    if (const auto* const list = part->if_contains("examples")) {
      for (const json::value& example : list->as_array()) {
        ++examples;
        EXPECT_TRUE(own.accepts(example)) << pointer << '\n' << own.faults(example);
      }
    }
    if (const auto* const value = part->if_contains("default")) {
      EXPECT_TRUE(own.accepts(*value)) << pointer << '\n' << own.faults(*value);
    }
  }
  EXPECT_GT(examples, 20U);
}

TEST(Schema, NamesEachDefaultInItsDescription) {
  const JsonSchema whole(schema());
  for (const auto& [pointer, part] : whole.schemas()) {
    const auto* const description = part->if_contains("description");
    if (!part->contains("default") || description == nullptr) continue;
    EXPECT_NE(description->as_string().find("Default: "), json::string::npos) << pointer;
  }
}

TEST(Schema, AcceptsEverySpecThatIsPublished) {
  const JsonSchema whole(schema());
  const auto samples = testing::published_specs();
  EXPECT_GT(samples.size(), 20U);
  for (const auto& sample : samples) {
    EXPECT_TRUE(whole.accepts(sample.document)) << sample.name << '\n'
                                                << whole.faults(sample.document);
  }
}

TEST(Schema, HasNoKeyThatTheReferenceDoesNotExplain) {
  const JsonSchema whole(schema());
  const std::string reference = text_of("docs/spec-reference.md");
  for (const auto& [pointer, part] : whole.schemas()) {
    for (const std::string& key : JsonSchema::keys({part})) {
      const bool is_chain = key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == key.npos;
      const bool is_explained = reference.find('`' + key) != key.npos ||
                                reference.find(key + '`') != key.npos ||
                                reference.find('"' + key + '"') != key.npos;
      EXPECT_TRUE(is_chain || is_explained) << pointer << ": " << key;
    }
  }
}

}  // namespace plumbline::spec
