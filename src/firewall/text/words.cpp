// How iptables-restore splits and joins the words of a rule.

#include <algorithm>

#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::firewall {

namespace {

bool is_plain(char c) {
  constexpr std::string_view others = "_-./:,=+!@%[]{}()<>|^~*&?#$;";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         others.find(c) != std::string_view::npos;
}

void append_quoted(std::string& line, std::string_view word) {
  line += '"';
  for (const char c : word) {
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
}

}  // namespace

std::optional<Words> split_words(std::string_view text) {
  Words words;
  std::string word;
  bool quoted = false;
  bool escaped = false;
  for (const char c : text) {
    if (quoted) {
      if (escaped || (c != '\\' && c != '"')) {
        word += c;
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else {
        words.push_back(std::move(word));
        word.clear();
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c != ' ' && c != '\t' && c != '\n') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (quoted) return std::nullopt;
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string join_words(std::span<const std::string> words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) {
      line += word;
    } else {
      append_quoted(line, word);
    }
  }
  return line;
}

std::string quote_words(std::span<const std::string> words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    append_quoted(line, word);
  }
  return line;
}

}  // namespace plumbline::firewall
