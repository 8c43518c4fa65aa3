#include "systemd_config.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

namespace plumbline::doctor {

namespace fs = std::filesystem;

namespace {

/// The first has the most to say.
constexpr std::array<const char*, 5> directories{
    "etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd", "lib/systemd"};

/// The main file first, then drop-ins in the order of their names, wherever they are. Of the same
/// name only the one in the first directory counts, which may be a link to /dev/null.
std::vector<fs::path> files_of(const fs::path& root, const std::string& file) {
  std::vector<fs::path> files;
  std::map<std::string, fs::path> drop_ins;
  std::error_code error;
  for (const char* directory : directories) {
    const fs::path main = root / directory / file;
    if (files.empty() && fs::exists(main, error)) files.push_back(main);
    fs::directory_iterator entries(main.string() + ".d", error);
    if (error) continue;
    for (const auto& entry : entries) {
      if (entry.path().extension() == ".conf") {
        drop_ins.emplace(entry.path().filename(), entry.path());
      }
    }
  }
  for (auto& [name, path] : drop_ins) files.push_back(std::move(path));
  return files;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// parse_boolean() in src/basic/parse-util.c of systemd.
std::optional<bool> boolean(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  for (const std::string_view yes : {"1", "yes", "y", "true", "t", "on"}) {
    if (lower == yes) return true;
  }
  for (const std::string_view no : {"0", "no", "n", "false", "f", "off"}) {
    if (lower == no) return false;
  }
  return std::nullopt;
}

/// The next line with those that continue it, comments between them left out.
bool next_line(std::istream& in, std::string& line) {
  line.clear();
  bool more = true;
  bool any = false;
  for (std::string part; more && std::getline(in, part);) {
    any = true;
    const auto text = trimmed(part);
    if (text.starts_with('#') || text.starts_with(';')) continue;
    more = part.ends_with('\\');
    if (more) part.back() = ' ';
    line += part;
  }
  return any;
}

}  // namespace

std::optional<SystemdSwitch> systemd_switch(const fs::path& root, const std::string& file,
                                            std::string_view section, std::string_view key) {
  std::optional<SystemdSwitch> found;
  for (const fs::path& path : files_of(root, file)) {
    std::ifstream in(path);
    std::string line;
    bool inside = false;
    while (next_line(in, line)) {
      const auto text = trimmed(line);
      const auto equals = text.find('=');
      if (text.starts_with('[')) {
        inside = text == "[" + std::string(section) + "]";
      } else if (inside && equals != std::string_view::npos &&
                 trimmed(text.substr(0, equals)) == key) {
        if (const auto on = boolean(trimmed(text.substr(equals + 1)))) {
          found = SystemdSwitch{*on, path};
        }
      }
    }
  }
  return found;
}

}  // namespace plumbline::doctor
