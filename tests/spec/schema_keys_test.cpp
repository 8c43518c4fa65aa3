// The JSON Schema and the decoders take the same keys and the same words, everywhere.
//
// Nothing lists the keys of the decoders, so every text in their sources that could be one is tried
// at every place: a key is the decoder's when it is not UNKNOWN_KEY there.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "plumbline/spec/schema.hpp"
#include "tests/spec/schema_places.hpp"

namespace plumbline::spec {

namespace json = boost::json;
namespace fs = std::filesystem;
using testing::JsonSchema;

namespace {

/// Whatever stands in the decoders as a text and may be a key or a word of the format.
std::set<std::string> words_of_decoders() {
  static const std::regex text(R"re("(\$?[A-Za-z][A-Za-z0-9-]*)")re");
  std::set<std::string> words;
  for (const char* folder : {"src/base", "src/kinds", "include/plumbline/kinds", "src/firewall",
                             "include/plumbline/firewall", "src/spec"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(PLUMBLINE_SOURCE_DIR "/" + std::string(folder))) {
      if (!entry.is_regular_file() || entry.path().extension() == ".json") continue;
      std::ifstream stream(entry.path());
      const std::string source{std::istreambuf_iterator<char>(stream), {}};
      for (std::sregex_iterator it(source.begin(), source.end(), text), end; it != end; ++it) {
        words.insert((*it)[1]);
      }
    }
  }
  return words;
}

std::set<std::string> without(std::set<std::string> all, const std::set<std::string>& some) {
  for (const auto& each : some) all.erase(each);
  return all;
}

std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

json::value link_of_kind(const std::string& kind) {
  return {{"version", 1}, {"links", {{"x", {{"kind", kind}}}}}};
}

bool has(const std::vector<Diagnostic>& errors, Code code, const std::string& pointer) {
  return std::ranges::any_of(errors, [&](const Diagnostic& error) {
    return error.code == code && error.pointer == pointer;
  });
}

/// Kinds that are reserved, and so are the names of their options.
std::set<std::string> kinds_to_come(const std::set<std::string>& words) {
  std::set<std::string> kinds;
  for (const auto& word : words) {
    if (has(errors_of(link_of_kind(word)), Code::not_available, "/links/x/kind")) {
      kinds.insert(word);
    }
  }
  return kinds;
}

/// What a decoder knows only to refuse it: ebtables has no comments, and only a built-in chain has
/// a policy.
bool is_refused_at(const std::string& key, const std::string& pointer) {
  if (key == "comment") return pointer.starts_with("/ebtables/");
  return key == "policy" && (pointer.ends_with("/OTHER") || pointer.ends_with("/DOCKER-USER"));
}

/// The keys that the decoder knows at a place that is an object.
std::set<std::string> decoder_keys(const json::value& document, const Place& place,
                                   const std::set<std::string>& words) {
  const json::value original = place.value;
  std::set<std::string> known;
  for (const auto& member : original.as_object()) known.emplace(member.key());
  for (const auto& word : words) {
    if (!original.as_object().contains(word)) place.value.as_object()[word] = nullptr;
  }
  const auto errors = errors_of(document);
  EXPECT_LT(errors.size(), max_diagnostics) << "some are cut off";
  for (const auto& word : words) {
    const std::string pointer = place.pointer + wire::pointer_step(word);
    if (has(errors, Code::unknown_key, pointer) || has(errors, Code::not_available, pointer)) {
      continue;
    }
    if (!is_refused_at(word, place.pointer)) known.insert(word);
  }
  place.value = original;
  return known;
}

}  // namespace

TEST(SchemaKeys, AreThoseOfTheDecodersAtEveryObject) {
  const JsonSchema schema(spec::schema());
  auto words = words_of_decoders();
  EXPECT_GT(words.size(), 100U);
  for (const auto& kind : kinds_to_come(words)) words.erase(kind);
  std::size_t objects = 0;
  for (auto& sample : testing::small_specs()) {
    for_each_place(schema, sample.document, [&](const Place& place) {
      if (!place.value.is_object() || JsonSchema::is_open(place.nodes)) return;
      ++objects;
      const auto of_schema = JsonSchema::keys(place.nodes);
      const auto of_decoder = decoder_keys(sample.document, place, words);
      EXPECT_EQ(joined(without(of_decoder, of_schema)), "")
          << "the schema lacks them: " << sample.name << " at " << place.pointer;
      EXPECT_EQ(joined(without(of_schema, of_decoder)), "")
          << "the decoder lacks them: " << sample.name << " at " << place.pointer;
    });
  }
  EXPECT_GT(objects, 50U);
}

TEST(SchemaKeys, AllStandInASample) {
  const JsonSchema schema(spec::schema());
  std::set<const json::object*> seen;
  for (auto& sample : testing::small_specs()) {
    for_each_place(schema, sample.document, [&](const Place& place) {
      seen.insert(place.nodes.begin(), place.nodes.end());
    });
  }
  static const std::regex of_a_key("/properties/[^/]+$");
  static const std::regex of_a_condition("/(if|then|else)/");
  std::size_t keys = 0;
  for (const auto& [pointer, part] : schema.schemas()) {
    if (!std::regex_search(pointer, of_a_key)) continue;
    if (std::regex_search(pointer, of_a_condition)) continue;
    ++keys;
    EXPECT_TRUE(seen.contains(part)) << "no sample has " << pointer;
  }
  EXPECT_GT(keys, 150U);
}

TEST(SchemaKeys, AnUnknownOneIsRefusedByBothAtEveryObject) {
  const JsonSchema schema(spec::schema());
  for (auto& sample : testing::small_specs()) {
    for_each_place(schema, sample.document, [&](const Place& place) {
      if (!place.value.is_object() || JsonSchema::is_open(place.nodes)) return;
      place.value.as_object()["frobnicate"] = 1;
      const bool refused = has(errors_of(sample.document), Code::unknown_key,
                               place.pointer + wire::pointer_step("frobnicate"));
      EXPECT_TRUE(refused) << sample.name << " at " << place.pointer;
      EXPECT_FALSE(schema.accepts(sample.document)) << sample.name << " at " << place.pointer;
      place.value.as_object().erase("frobnicate");
    });
  }
}

/// Each word that the decoders' sources hold, at each place that takes only certain words.
TEST(SchemaWords, AreThoseOfTheDecoders) {
  const JsonSchema schema(spec::schema());
  const auto words = words_of_decoders();
  std::size_t places = 0;
  for (auto& sample : testing::small_specs()) {
    for_each_place(schema, sample.document, [&](const Place& place) {
      const bool is_choice = std::ranges::any_of(
          place.nodes, [](const json::object* node) { return node->contains("enum"); });
      if (!is_choice || !place.value.is_string()) return;
      ++places;
      const json::value original = place.value;
      for (const auto& word : words) {
        place.value = json::string(word);
        // Another word may ask for other keys: then both say so, or the decoder alone does.
        if (schema.accepts(sample.document)) continue;
        EXPECT_FALSE(errors_of(sample.document).empty())
            << sample.name << " at " << place.pointer << ": " << word;
      }
      place.value = original;
    });
  }
  EXPECT_GT(places, 15U);
}

TEST(SchemaWords, OfALinksKindAreThoseThatAreAvailable) {
  const JsonSchema schema(spec::schema());
  for (const auto& word : words_of_decoders()) {
    const auto errors = errors_of(link_of_kind(word));
    const bool is_available = !has(errors, Code::not_available, "/links/x/kind") &&
                              !has(errors, Code::invalid_link, "/links/x/kind");
    EXPECT_EQ(schema.accepts(link_of_kind(word)), is_available) << word;
  }
}

}  // namespace plumbline::spec
