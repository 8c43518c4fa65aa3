#include "tests/support/json_schema.hpp"

#include <boost/json.hpp>
#include <stdexcept>
#include <utility>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace plumbline::testing {

namespace json = boost::json;

namespace {

using Adapter = valijson::adapters::BoostJsonAdapter;

/// Keywords whose value is a schema, a list of schemas, or schemas by name.
const std::set<std::string_view> of_one{
    "additionalProperties", "items", "propertyNames", "not", "if", "then", "else"};
const std::set<std::string_view> of_list{"allOf", "anyOf", "oneOf"};
const std::set<std::string_view> of_names{"properties", "patternProperties", "$defs"};

template <class Visit>
void visit_schemas(const json::value& node, const std::string& pointer, const Visit& visit) {
  const json::object* const schema = node.if_object();
  if (schema == nullptr) return;
  visit(pointer, *schema);
  for (const auto& [name, value] : *schema) {
    const std::string key(name);
    const std::string place = pointer + "/" + key;
    if (of_one.contains(key)) visit_schemas(value, place, visit);
    if (of_list.contains(key)) {
      for (std::size_t i = 0; i < value.as_array().size(); ++i) {
        visit_schemas(value.as_array()[i], place + "/" + std::to_string(i), visit);
      }
    }
    if (!of_names.contains(key)) continue;
    for (const auto& member : value.as_object()) {
      visit_schemas(member.value(), place + "/" + std::string(member.key()), visit);
    }
  }
}

}  // namespace

struct JsonSchema::Compiled {
  valijson::Schema schema;
  mutable valijson::Validator validator{valijson::Validator::kStrongTypes};
};

JsonSchema::JsonSchema(std::string_view text)
    : text_(json::parse({text.data(), text.size()})), compiled_(std::make_unique<Compiled>()) {
  valijson::SchemaParser(valijson::SchemaParser::kDraft7)
      .populateSchema(Adapter(text_), compiled_->schema);
}

JsonSchema::~JsonSchema() = default;

bool JsonSchema::accepts(const json::value& value) const {
  return compiled_->validator.validate(compiled_->schema, Adapter(value), nullptr);
}

std::string JsonSchema::faults(const json::value& value) const {
  valijson::ValidationResults results;
  compiled_->validator.validate(compiled_->schema, Adapter(value), &results);
  std::string text;
  for (valijson::ValidationResults::Error error; results.popError(error);) {
    for (const std::string& step : error.context) text += step;
    text += ": " + error.description + '\n';
  }
  return text;
}

std::vector<std::pair<std::string, const json::object*>> JsonSchema::schemas() const {
  std::vector<std::pair<std::string, const json::object*>> found;
  visit_schemas(text_, "", [&](const std::string& pointer, const json::object& schema) {
    found.emplace_back(pointer, &schema);
  });
  return found;
}

std::set<std::string> JsonSchema::keywords() const {
  std::set<std::string> found;
  for (const auto& [pointer, schema] : schemas()) {
    for (const auto& member : *schema) found.emplace(member.key());
  }
  return found;
}

void JsonSchema::follow(const json::value& node, Nodes& nodes) const {
  const json::object* const schema = node.if_object();
  if (schema == nullptr) return;
  nodes.push_back(schema);
  if (const auto* ref = schema->if_contains("$ref")) {
    const std::string_view pointer(ref->as_string().data(), ref->as_string().size());
    follow(text_.at_pointer(json::string_view(pointer).substr(1)), nodes);
  }
  for (const std::string_view key : of_list) {
    const auto* const list = schema->if_contains(json::string_view(key.data(), key.size()));
    if (list == nullptr) continue;
    for (const json::value& each : list->as_array()) follow(each, nodes);
  }
}

JsonSchema::Nodes JsonSchema::root() const {
  Nodes nodes;
  follow(text_, nodes);
  return nodes;
}

JsonSchema::Nodes JsonSchema::member(const Nodes& nodes, std::string_view key) const {
  Nodes found;
  for (const json::object* const schema : nodes) {
    const auto* const properties = schema->if_contains("properties");
    const auto* property =
        properties == nullptr
            ? nullptr
            : properties->as_object().if_contains(json::string_view(key.data(), key.size()));
    if (property == nullptr) property = schema->if_contains("additionalProperties");
    if (property != nullptr) follow(*property, found);
  }
  return found;
}

JsonSchema::Nodes JsonSchema::element(const Nodes& nodes) const {
  Nodes found;
  for (const json::object* const schema : nodes) {
    if (const auto* items = schema->if_contains("items")) follow(*items, found);
  }
  return found;
}

std::set<std::string> JsonSchema::keys(const Nodes& nodes) {
  std::set<std::string> found;
  for (const json::object* const schema : nodes) {
    const auto* const properties = schema->if_contains("properties");
    if (properties == nullptr) continue;
    for (const auto& member : properties->as_object()) {
      if (member.value().is_object()) found.emplace(member.key());
    }
  }
  return found;
}

bool JsonSchema::is_open(const Nodes& nodes) {
  for (const json::object* const schema : nodes) {
    const auto* const others = schema->if_contains("additionalProperties");
    if (others != nullptr && others->is_object()) return true;
  }
  return false;
}

json::value plain(const wire::Node& node) {
  if (const auto* object = node.get<wire::Object>()) {
    json::object out;
    for (const wire::Member& member : *object) out[member.key] = plain(member.value);
    return out;
  }
  if (const auto* array = node.get<wire::Array>()) {
    json::array out;
    for (const wire::Node& element : *array) out.push_back(plain(element));
    return out;
  }
  if (const auto* text = node.get<std::string>()) return json::string(*text);
  if (const auto* flag = node.get<bool>()) return *flag;
  if (const auto* number = node.get<std::int64_t>()) return *number;
  if (const auto* number = node.get<std::uint64_t>()) return *number;
  if (const auto* number = node.get<double>()) return *number;
  if (node.get<wire::HugeNumber>() != nullptr) throw std::out_of_range("a huge number");
  return nullptr;
}

}  // namespace plumbline::testing
