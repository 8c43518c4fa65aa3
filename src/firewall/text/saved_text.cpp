#include "plumbline/firewall/text/saved_text.hpp"

namespace plumbline::firewall {

namespace {

/// Takes one line off `text`, without its newline. In a rule a quoted argument may contain any
/// character, a newline among them.
std::string_view take_line(std::string_view& text) {
  const bool is_rule = text.front() == '-' || text.front() == '[';
  bool quoted = false;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const char at = text[end];
    if (at == '\n' && !quoted) break;
    if (!is_rule) continue;
    if (at == '"') quoted = !quoted;
    if (at == '\\' && quoted) ++end;
  }
  if (end > text.size()) end = text.size();
  const auto line = text.substr(0, end);
  text.remove_prefix(end < text.size() ? end + 1 : end);
  return line;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The name in "# Table `filter' is incompatible, use 'nft' tool."
std::string_view quoted_name(std::string_view comment) {
  const auto first = comment.find('`');
  const auto last = comment.find('\'', first);
  if (first == std::string_view::npos || last == std::string_view::npos) return comment;
  return comment.substr(first + 1, last - first - 1);
}

void read_comment(std::string_view line, std::string& open, SavedText& found) {
  // ebtables-nft-save(8) has no COMMIT; iptables-save(8) prints it before this.
  if (line.starts_with("# Completed on ")) open.clear();
  if (!line.starts_with("# Table ")) return;
  const std::string table(quoted_name(line));
  if (contains(line, "incompatible base-chains")) {
    found.warning = "the table '" + table +
                    "' has base chains that iptables cannot show; look with 'nft list table'";
  } else if (contains(line, "incompatible")) {
    found.unobservable =
        "the table '" + table + "' holds what iptables cannot show; look with 'nft list table'";
  }
}

/// `:INPUT ACCEPT [0:0]` says nothing; any other chain or policy does.
bool is_plain_builtin(std::string_view line) { return contains(line, " ACCEPT"); }

}  // namespace

SavedText inspect_saved(std::string_view text) {
  SavedText found;
  std::string table;
  while (!text.empty()) {
    const auto line = take_line(text);
    if (line.empty()) continue;
    if (line.front() == '#') {
      read_comment(line, table, found);
    } else if (line.front() == '*') {
      table = line.substr(1);
    } else if (line == "COMMIT") {
      table.clear();
    } else if (line.front() != ':' || !is_plain_builtin(line)) {
      found.holds_rules = true;
    }
  }
  if (!table.empty() && found.unobservable.empty()) {
    found.unobservable = "the saved table '" + table + "' breaks off before its COMMIT";
  }
  return found;
}

}  // namespace plumbline::firewall
