#include "json_bytes.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>

#include "plumbline/base/curve_key.hpp"
#include "plumbline/base/diagnostics.hpp"
#include "plumbline/base/key_shape.hpp"

namespace plumbline::report {

namespace json = boost::json;

namespace {

/// Public keys of tunnels stay: a `publicKey`, and the names of `peers`.
bool is_public_key(std::string_view parent, std::string_view text) {
  return (parent == "publicKey" || parent == "peers") && PublicKey::parse(text).has_value();
}

/// Whatever somebody wrote anywhere may be a key. `parent`: the name that `value` has.
json::value without_keys_in(const json::value& value, std::string_view parent) {
  if (const auto* text = value.if_string()) {
    if (is_public_key(parent, *text)) return value;
    return json::value(parent == "pointer" ? pointer_without_keys(*text) : without_keys(*text));
  }
  if (const auto* array = value.if_array()) {
    json::array shown;
    for (const json::value& element : *array) shown.push_back(without_keys_in(element, parent));
    return shown;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  json::object shown;
  for (const auto& [key, member] : *object) {
    const std::string name = is_public_key(parent, key) ? std::string(key) : without_keys(key);
    shown[name] = without_keys_in(member, key);
  }
  return shown;
}

/// What is not ASCII, within a text of JSON. A byte that is no UTF-8 becomes what printable() makes
/// of it; the control characters of C1, which a terminal would obey, are escaped.
std::string in_utf8(std::string_view run) {
  std::string text;
  if (!is_utf8(run)) {
    for (const char c : printable(run)) text += c == '\\' ? "\\\\" : std::string(1, c);
    return text;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = 0; i < run.size(); ++i) {
    const auto next = i + 1 < run.size() ? static_cast<unsigned char>(run[i + 1]) : 0U;
    if (run[i] == '\xc2' && next < 0xa0U) {
      text += {'\\', 'u', '0', '0', digits[next >> 4U], digits[next & 15U]};
      ++i;
    } else {
      text += run[i];
    }
  }
  return text;
}

/// JSON whose texts may hold any bytes, as file names and what others call their interfaces do.
std::string with_texts_in_utf8(std::string_view json) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80U; };
  std::string text;
  while (!json.empty()) {
    const auto ascii = std::ranges::find_if_not(json, is_ascii) - json.begin();
    text += json.substr(0, static_cast<std::size_t>(ascii));
    json.remove_prefix(static_cast<std::size_t>(ascii));
    const auto run = std::ranges::find_if(json, is_ascii) - json.begin();
    text += in_utf8(json.substr(0, static_cast<std::size_t>(run)));
    json.remove_prefix(static_cast<std::size_t>(run));
  }
  return text;
}

void write_pretty(const json::value& value, std::size_t depth, std::string& out) {
  const auto line = [&](std::size_t by) { out += "\n" + std::string(2 * by, ' '); };
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    for (const auto& member : *object) {
      if (out.back() != '{') out += ',';
      line(depth + 1);
      out += json::serialize(member.key()) + ": ";
      write_pretty(member.value(), depth + 1, out);
    }
    line(depth);
    out += '}';
  } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    out += '[';
    bool first = true;
    for (const json::value& element : *array) {
      if (!first) out += ',';
      first = false;
      line(depth + 1);
      write_pretty(element, depth + 1, out);
    }
    line(depth);
    out += ']';
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string compact(const json::value& value) {
  return with_texts_in_utf8(json::serialize(without_keys_in(value, {}))) + "\n";
}

std::string pretty(const json::value& value) {
  std::string out;
  write_pretty(without_keys_in(value, {}), 0, out);
  return with_texts_in_utf8(out) + "\n";
}

}  // namespace plumbline::report
