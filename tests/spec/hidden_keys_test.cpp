// A key in the wrong place, whole or damaged, is in no message: at every place of every sample.

#include <gtest/gtest.h>

#include <random>

#include "plumbline/base/key_shape.hpp"
#include "plumbline/spec/expand.hpp"
#include "plumbline/spec/schema.hpp"
#include "tests/spec/schema_places.hpp"

namespace plumbline::spec {
namespace {

namespace json = boost::json;

/// The same in every run.
class Keys {
 public:
  std::string next() {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string key;
    while (key.size() < 43) key += digits[random_() % 64];
    return key + "=";
  }
  /// One of the ways in which a key comes to harm.
  std::string damaged(const std::string& key) {
    switch (random_() % 10) {
      case 0:
        return key;
      case 1:
        return key.substr(0, 43);
      case 2:
        return key.substr(1 + random_() % 6);
      case 3:
        return key.substr(0, 44 - random_() % 8);
      case 4:
        return key + "A";
      case 5:
        return std::string(key).replace(random_() % 43, 1, "!");
      case 6:
        return std::string(key).insert(22, random_() % 2 == 0 ? " " : "\n");
      case 7:
        return "\"" + key + "\"";
      case 8:
        return "  " + key + "\t";
      default:
        return in_hex(key);
    }
  }

 private:
  static std::string in_hex(const std::string& key) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char c : key.substr(0, 32)) {
      const auto byte = static_cast<unsigned char>(c);
      text += digits[byte >> 4U];
      text += digits[byte & 15U];
    }
    return text;
  }

  std::mt19937 random_{9};
};

/// The longest stretch that `text` and `key` share.
std::size_t shared(const std::string& text, const std::string& key) {
  std::size_t longest = 0;
  for (std::size_t i = 0; i < key.size(); ++i) {
    std::size_t length = longest + 1;
    while (i + length <= key.size() && text.find(key.substr(i, length)) != std::string::npos) {
      longest = length++;
    }
  }
  return longest;
}

/// All that load() and expand() say, as it is printed.
std::string said_of(const json::value& document) {
  auto files = testing::files_of_samples();
  files.texts["a.json"] = json::serialize(document);
  Diagnostics diagnostics;
  Spec spec = load({"a.json"}, files, diagnostics);
  if (diagnostics.ok()) static_cast<void>(expand(std::move(spec), Facts(), {}, diagnostics));
  std::string said;
  for (const auto* list : {&diagnostics.errors, &diagnostics.warnings}) {
    for (const Diagnostic& each : *list) said += format(each) + "\n";
  }
  return said;
}

/// Shorter pieces are names, and nobody has a key by them.
constexpr std::size_t most_shown = 20;

TEST(HiddenKeys, AKeyAtAnyPlaceOfASpecIsInNoMessage) {
  const testing::JsonSchema format_of_specs(schema());
  Keys keys;
  std::size_t places = 0;
  std::size_t messages = 0;
  for (testing::SpecSample& sample : testing::small_specs()) {
    for_each_place(format_of_specs, sample.document, [&](const Place& place) {
      if (place.pointer.empty()) return;
      const std::string key = keys.next();
      const std::string text = keys.damaged(key);
      const json::value before = std::exchange(place.value, json::value(text));
      const std::string said = said_of(sample.document);
      place.value = before;
      EXPECT_LT(shared(said, text), most_shown) << sample.name << place.pointer << "\n" << said;
      ++places;
      if (!said.empty()) ++messages;
    });
  }
  EXPECT_GT(places, 200U);
  EXPECT_GT(messages, places / 2) << "a test of silence says nothing";
}

TEST(HiddenKeys, AKeyAsANameOfAnyObjectIsInNoMessage) {
  const testing::JsonSchema format_of_specs(schema());
  Keys keys;
  for (testing::SpecSample& sample : testing::small_specs()) {
    for_each_place(format_of_specs, sample.document, [&](const Place& place) {
      auto* object = place.value.if_object();
      if (object == nullptr) return;
      const json::object before = *object;
      const std::string text = keys.damaged(keys.next());
      (*object)[text] = json::object{{"kind", text}};
      const std::string said = said_of(sample.document);
      *object = before;
      EXPECT_LT(shared(said, text), most_shown) << sample.name << place.pointer << "\n" << said;
    });
  }
}

}  // namespace
}  // namespace plumbline::spec
