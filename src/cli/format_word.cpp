#include "format_word.hpp"

namespace plumbline::cli {

std::string format_words() {
  std::string list;
  for (const std::string_view name : report::format_names()) {
    list += (list.empty() ? "{" : ",") + std::string(name);
  }
  return list + "}";
}

report::Format format_in(const std::vector<std::string_view>& arguments) {
  report::Format format = report::Format::text;
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    std::string_view word = arguments[i];
    if (word == "--format" && i + 1 < arguments.size()) {
      word = arguments[i + 1];
    } else if (word.starts_with("--format=")) {
      word.remove_prefix(word.find('=') + 1);
    } else {
      continue;
    }
    format = report::parse_format(word).value_or(format);
  }
  return format;
}

}  // namespace plumbline::cli
