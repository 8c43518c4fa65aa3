// What the JSON Schema refuses the decoder refuses; and what the decoder refuses beyond the schema
// is listed here. Small valid specs are changed at every place, in every way below.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "plumbline/spec/schema.hpp"
#include "tests/spec/schema_places.hpp"

namespace plumbline::spec {

namespace json = boost::json;
using testing::JsonSchema;

namespace {

/// A rule of the decoder's that no schema of one file can hold, or that is not worth the text.
struct Beyond {
  const char* code;
  const char* message;  ///< a regular expression
};

const std::vector<Beyond> beyond_the_schema{};

/// Which of them every error of a spec is one of; those that are none, as lines.
std::string unlisted(const std::vector<Diagnostic>& errors, std::vector<bool>& used) {
  std::string lines;
  for (const Diagnostic& error : errors) {
    bool listed = false;
    for (std::size_t i = 0; i < beyond_the_schema.size(); ++i) {
      const Beyond& rule = beyond_the_schema[i];
      if (format(error.code) != rule.code ||
          !std::regex_search(error.message, std::regex(rule.message))) {
        continue;
      }
      listed = used[i] = true;
    }
    if (!listed) lines += format(error) + '\n';
  }
  return lines;
}

/// Values that are wrong somewhere, or at the edge.
json::array other_values(const Place& place) {
  json::array values{nullptr,
                     true,
                     false,
                     json::array(),
                     json::object(),
                     json::array{1},
                     json::object{{"x", 1}},
                     1.5,
                     -1,
                     0,
                     1,
                     2,
                     3,
                     64,
                     256,
                     65536,
                     4294967296,
                     "",
                     "x",
                     "no such",
                     "1",
                     "0x1",
                     "010",
                     "1-2",
                     "2-1",
                     "0x1/0x2",
                     "10.0.0.1",
                     "10.0.0.1/24",
                     "10.0.0.0/24",
                     "10.0.0.0/33",
                     "010.0.0.1",
                     "10.0.0",
                     "fd00::1",
                     "fd00::/64",
                     "fd00::/129",
                     "0.0.0.0",
                     "::",
                     "default",
                     "all",
                     "a/b",
                     "a:b",
                     "a%d",
                     ".",
                     "02:00:00:00:00:01",
                     "03:00:00:00:00:01",
                     "00:00:00:00:00:00",
                     "192.0.2.1:0",
                     "192.0.2.1:80",
                     "192.0.2.1:65536",
                     "a\nb",
                     "a\x7f",
                     "plumbline:x",
                     "main",
                     "\"",
                     "x\\",
                     std::string(40, 'a'),
                     std::string(300, 'a')};
  for (const json::object* const node : place.nodes) {
    for (const char* bound : {"minimum", "maximum"}) {
      const auto* const at = node->if_contains(bound);
      if (at == nullptr) continue;
      for (const int off : {-1, 0, 1}) values.emplace_back(at->to_number<std::int64_t>() + off);
    }
  }
  if (const auto* const text = place.value.if_string()) {
    const std::string whole(text->data(), text->size());
    for (const char* more : {" ", "0", "/", "/8", "x", "\n", ":"})
      values.emplace_back(whole + more);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      values.emplace_back(whole.substr(0, i) + whole.substr(i + 1));
    }
  }
  return values;
}

const char* const other_keys[] = {"",  "x",   "a b",        "all",  "default", ".",      "-x",
                                  "!", "a/b", "a\nb",       "net",  "net.x",   "net..x", "net/./x",
                                  "%", "\"",  "PREROUTING", "DROP", "BROUTING"};

class Comparison {
 public:
  void look_at(testing::SpecSample& sample) {
    sample_ = &sample;
    for_each_place(schema_, sample.document, [&](const Place& place) {
      change_value(place);
      change_members(place);
    });
  }

  [[nodiscard]] std::size_t refused() const { return refused_; }
  [[nodiscard]] std::size_t accepted() const { return accepted_; }
  [[nodiscard]] const std::vector<bool>& used() const { return used_; }

 private:
  void compare(const std::string& pointer) {
    const auto errors = errors_of(sample_->document);
    const auto shown = [&] {
      return sample_->name + " at " + pointer + ": " + json::serialize(sample_->document);
    };
    if (!schema_.accepts(sample_->document)) {
      ++refused_;
      if (errors.empty()) {
        ADD_FAILURE() << "only the schema refuses " << shown() << '\n'
                      << schema_.faults(sample_->document);
      }
      return;
    }
    ++accepted_;
    if (const auto lines = unlisted(errors, used_); !lines.empty()) {
      ADD_FAILURE() << "only the decoder refuses " << shown() << '\n' << lines;
    }
  }

  void change_value(const Place& place) {
    const json::value original = place.value;
    for (const json::value& value : other_values(place)) {
      place.value = value;
      compare(place.pointer);
    }
    place.value = original;
  }

  void change_members(const Place& place) {
    if (!place.value.is_object()) return;
    const json::object original = place.value.as_object();
    for (const auto& member : original) {
      json::object without = original;
      without.erase(member.key());
      place.value = without;
      compare(place.pointer);
      for (const char* key : other_keys) {
        if (original.contains(key)) continue;
        place.value = without;
        place.value.as_object()[key] = member.value();
        compare(place.pointer);
      }
    }
    place.value = original;
  }

  JsonSchema schema_{spec::schema()};
  testing::SpecSample* sample_ = nullptr;
  std::vector<bool> used_ = std::vector<bool>(beyond_the_schema.size());
  std::size_t refused_ = 0;
  std::size_t accepted_ = 0;
};

}  // namespace

TEST(SchemaAgreement, HoldsForTheSamples) {
  const JsonSchema schema(spec::schema());
  for (const auto& sample : testing::small_specs()) {
    EXPECT_TRUE(schema.accepts(sample.document)) << sample.name << '\n'
                                                 << schema.faults(sample.document);
    for (const auto& error : errors_of(sample.document)) {
      ADD_FAILURE() << sample.name << ": " << format(error);
    }
  }
}

TEST(SchemaAgreement, HoldsForEveryChangeOfASample) {
  Comparison comparison;
  for (auto& sample : testing::small_specs()) comparison.look_at(sample);
  EXPECT_GT(comparison.refused(), 1000U);
  EXPECT_GT(comparison.accepted(), 1000U);
  for (std::size_t i = 0; i < beyond_the_schema.size(); ++i) {
    EXPECT_TRUE(comparison.used()[i])
        << "no longer beyond the schema: " << beyond_the_schema[i].message;
  }
}

}  // namespace plumbline::spec
