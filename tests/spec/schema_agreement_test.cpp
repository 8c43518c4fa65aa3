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

/// A rule of the decoder's that a schema of one file cannot hold, or not in few words.
struct Beyond {
  Beyond(const char* code_pattern, const char* message_pattern)
      : code(code_pattern), message(message_pattern), text(message_pattern) {}

  std::regex code;
  std::regex message;
  std::string text;
};

const std::vector<Beyond> beyond_the_schema{
    // What may be in another file.
    {"MISSING_KEY", "'(kind|peer|veth|vxlan|vlan|device|id|wireguard|privateKeyFile)' is missing"},
    {"INVALID_WIREGUARD_CONFIG", "one of .* is needed"},
    {"INVALID_LINK", "port settings need a 'master'"},
    // What the host or another file says.
    {"UNREADABLE_FILE", "No such file"},
    {"INVALID_R(OUTE|ULE)", "no routing table is named"},
    {"INVALID_R(OUTE|ULE)", "a table's number is written without quotes"},
    // The whole text of a wg-quick file.
    {"INVALID_WIREGUARD_CONFIG", "^(line [0-9]+|\\[Interface\\] needs)"},
    // Addresses: the form of IPv6, bits, and what is special.
    {"INVALID_(ADDRESS|LINK|ROUTE|RULE|WIREGUARD_CONFIG)", "expected an IP address"},
    {"INVALID_(ROUTE|RULE|WIREGUARD_CONFIG)", "has host bits set"},
    {"INVALID_ADDRESS", "expected an address and its prefix length"},
    {"INVALID_WIREGUARD_CONFIG", "expected an address and a port"},
    {"INVALID_ADDRESS", "is (the gateway of|no host's address in|not in the subnet)"},
    {"INVALID_ADDRESS", "IPv6 needs an mtu"},
    // Numbers in texts.
    {"INVALID_R(OUTE|ULE)", "two low bits of a TOS"},
    {"INVALID_LINK", "forwards no MAC pause frames"},
    {"INVALID_FIREWALL_CONFIG", "expected a port"},
    {"INVALID_RULE", "expected a number or a(\"| range)"},
    {"INVALID_RULE", "expected a number or \"mark/mask\""},
    // What does not go together.
    {"INVALID_LINK", "are of different families"},
    {"INVALID_R(OUTE|ULE)", "is not of the family"},
    {"INVALID_RULE", "a higher priority only"},
    {"INVALID_RULE", "an IPv4 rule's TOS"},
    {"OUT_OF_RANGE", "from 0 to 32,"},
    {"INVALID_ROUTE", "`onlink` needs both"},
    {"INVALID_ROUTE", "link-local gateway"},
    {"INVALID_ROUTE", "IPv6 route"},
    {"INVALID_ROUTE", "a local route has the scope host"},
    {"INVALID_ROUTE", "leads beyond the link"},
    // The words of a rule of iptables.
    {"INVALID_IPTABLES_RULE", ""},
    {"INVALID_CHAIN_NAME", "is a target of"},
    {"INVALID_SYSCTL", "is not the name of a setting"},
};

/// Which of them every error of a spec is one of; those that are none, as lines.
std::string unlisted(const std::vector<Diagnostic>& errors, std::vector<bool>& used) {
  std::string lines;
  for (const Diagnostic& error : errors) {
    bool listed = false;
    for (std::size_t i = 0; i < beyond_the_schema.size(); ++i) {
      const Beyond& rule = beyond_the_schema[i];
      if (!std::regex_match(std::string(format(error.code)), rule.code)) continue;
      if (!std::regex_search(error.message, rule.message)) continue;
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

/// Whether no array is on the way: what is in one is in one file.
bool merges(const json::value& document, const std::string& pointer) {
  for (auto end = pointer.size(); end != pointer.npos && end > 0;
       end = pointer.rfind('/', end - 1)) {
    if (document.at_pointer(pointer.substr(0, end)).is_array()) return false;
  }
  return true;
}

/// A file that says no more than one member of one object.
json::value only(const json::value& document, const std::string& pointer, json::string_view key) {
  json::value inner = document.at_pointer(pointer).at(key);
  inner = json::object{{key, inner}};
  std::string rest = pointer;
  while (!rest.empty()) {
    const auto step = rest.rfind('/');
    const std::string above = rest.substr(0, step);
    for (const auto& member : document.at_pointer(above).as_object()) {
      if (above + wire::pointer_step({member.key().data(), member.key().size()}) == rest) {
        inner = json::object{{member.key(), inner}};
        break;
      }
    }
    rest = above;
  }
  inner.as_object()["version"] = 1;
  return inner;
}

std::vector<Diagnostic> errors_of_two(const json::value& first, const json::value& second) {
  auto files = testing::files_of_samples();
  files.texts["a.json"] = json::serialize(first);
  files.texts["b.json"] = json::serialize(second);
  Diagnostics diagnostics;
  static_cast<void>(load({"a.json", "b.json"}, files, diagnostics));
  return diagnostics.errors;
}

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
        << "no longer beyond the schema: " << beyond_the_schema[i].text;
  }
}

/// Each member of each object that merges, moved to a file of its own.
TEST(SchemaAgreement, HoldsForEachFileOfASpecInTwo) {
  const JsonSchema schema(spec::schema());
  std::size_t specs = 0;
  for (auto& sample : testing::small_specs()) {
    const json::value whole = sample.document;
    for_each_place(schema, sample.document, [&](const Place& place) {
      if (!place.value.is_object() || !merges(whole, place.pointer)) return;
      const json::object original = place.value.as_object();
      for (const auto& member : original) {
        if (member.key() == "version") continue;
        place.value.as_object().erase(member.key());
        const json::value first = sample.document;
        const json::value second = only(whole, place.pointer, member.key());
        if (errors_of_two(first, second).empty()) {
          ++specs;
          for (const json::value& file : {first, second}) {
            EXPECT_TRUE(schema.accepts(file)) << json::serialize(file) << '\n'
                                              << schema.faults(file);
          }
        }
        place.value = original;
      }
    });
  }
  EXPECT_GT(specs, 100U);
}

}  // namespace plumbline::spec
