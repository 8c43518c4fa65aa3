#include "plumbline/spec/loadable.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>

#include "plumbline/spec/load.hpp"

namespace plumbline::spec {

namespace json = boost::json;

namespace {

constexpr const char* document_name = "shown.json";

/// One file, the document.
class OneDocument : public FileReader {
 public:
  explicit OneDocument(const json::object& document) : text_(json::serialize(document)) {}

  Type type(const std::string& path) override {
    return path == document_name ? Type::file : Type::missing;
  }
  std::optional<std::vector<std::string>> list(const std::string& /*path*/) override { return {}; }
  Content read(const std::string& path, std::size_t /*limit*/) override {
    Content content;
    if (path != document_name) content.error = ENOENT;
    if (path == document_name) content.text = text_;
    return content;
  }

 private:
  std::string text_;
};

/// RFC 6901.
std::vector<std::string> tokens_of(std::string_view pointer) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
    } else if (pointer[i] == '~' && i + 1 < pointer.size()) {
      tokens.back() += pointer[++i] == '1' ? '/' : '~';
    } else {
      tokens.back() += pointer[i];
    }
  }
  return tokens;
}

/// How much of a place is the least that can be taken out without a change of what the rest means.
std::size_t depth_of(const std::vector<std::string>& tokens) {
  const std::string& section = tokens.front();
  if (section.ends_with("tables")) return 4;  // a whole chain
  if (section != "links") return 2;           // a route, a rule, a sysctl
  if (tokens.size() < 3 || tokens[2] == "kind") return 2;
  return tokens[2] == "addresses" ? 4 : 3;
}

bool is_of_a_tunnel(const std::vector<std::string>& tokens) {
  return tokens.size() > 2 && tokens[0] == "links" && tokens[2] == "wireguard";
}

/// Whether there was such a place.
bool take_out(json::value& parent, const std::string& token) {
  if (json::object* object = parent.if_object()) return object->erase(token) != 0;
  json::array* array = parent.if_array();
  std::size_t index = 0;
  const auto end = token.data() + token.size();
  if (array == nullptr || std::from_chars(token.data(), end, index).ec != std::errc()) return false;
  if (index >= array->size()) return false;
  array->erase(array->begin() + static_cast<std::ptrdiff_t>(index));
  return true;
}

bool take_out(json::value& value, const std::vector<std::string>& tokens, std::size_t at) {
  if (at + 1 == tokens.size()) return take_out(value, tokens[at]);
  if (json::object* object = value.if_object()) {
    json::value* member = object->if_contains(tokens[at]);
    return member != nullptr && take_out(*member, tokens, at + 1);
  }
  return false;
}

/// The places to take out; elements of an array from its end on, so that each is where it was.
std::vector<std::pair<std::vector<std::string>, Diagnostic>> refused(const json::object& document) {
  OneDocument files(document);
  Diagnostics diagnostics;
  static_cast<void>(load({document_name}, files, diagnostics));
  std::vector<std::pair<std::vector<std::string>, Diagnostic>> places;
  for (const Diagnostic& error : diagnostics.errors) {
    auto tokens = tokens_of(error.pointer);
    if (tokens.empty() || is_of_a_tunnel(tokens)) continue;
    const std::size_t depth = depth_of(tokens);
    if (tokens.size() > depth) tokens.resize(depth);
    const auto same = [&](const auto& place) { return place.first == tokens; };
    if (std::ranges::none_of(places, same)) places.emplace_back(std::move(tokens), error);
  }
  std::ranges::reverse(places);
  return places;
}

}  // namespace

std::vector<Diagnostic> make_loadable(json::object& document) {
  std::vector<Diagnostic> taken;
  json::value root = std::move(document);
  for (bool more = true; more;) {
    more = false;
    for (auto& [tokens, error] : refused(root.as_object())) {
      if (!take_out(root, tokens, 0)) continue;
      taken.push_back(std::move(error));
      more = true;
    }
  }
  document = std::move(root.as_object());
  return taken;
}

}  // namespace plumbline::spec
