// Input for iptables-restore --noflush.

#include <algorithm>

#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::firewall {

namespace {

/// The lines of one table, by when they are due.
struct Parts {
  Family family = Family::inet;
  std::string table;
  std::vector<std::string> declarations;
  std::vector<std::string> rules;
  std::vector<std::string> deletions;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end != 0) lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

Parts& parts_for(std::vector<Parts>& all, Family family, std::string_view table) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Parts& parts) {
    return parts.family == family && parts.table == table;
  });
  if (found != all.end()) return *found;
  all.push_back({family, std::string(table), {}, {}, {}});
  return all.back();
}

}  // namespace

std::string restore_text(std::string_view table, std::span<const std::string> lines) {
  std::string text = "*" + std::string(table) + "\n";
  for (const std::string& line : lines) text += line + "\n";
  return text + "COMMIT\n";
}

std::vector<wire::FirewallRestore> merged(std::span<const wire::FirewallRestore> restores) {
  std::vector<Parts> all;
  for (const wire::FirewallRestore& restore : restores) {
    std::string_view table;
    for (const std::string_view line : lines_of(restore.text)) {
      if (line.front() == '*') {
        table = line.substr(1);
        parts_for(all, restore.family, table);
        continue;
      }
      if (line == "COMMIT") continue;
      Parts& parts = parts_for(all, restore.family, table);
      auto& lines = line.front() == ':'       ? parts.declarations
                    : line.starts_with("-X ") ? parts.deletions
                                              : parts.rules;
      lines.emplace_back(line);
    }
  }
  std::vector<wire::FirewallRestore> result;
  for (Parts& parts : all) {
    auto& lines = parts.declarations;
    lines.insert(lines.end(), parts.rules.begin(), parts.rules.end());
    lines.insert(lines.end(), parts.deletions.begin(), parts.deletions.end());
    result.push_back({parts.family, restore_text(parts.table, lines)});
  }
  return result;
}

}  // namespace plumbline::firewall
