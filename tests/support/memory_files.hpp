// Files that exist in memory only: a FileReader for tests, which notes what was opened.

#pragma once

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "plumbline/base/file_reader.hpp"

namespace plumbline::testing {

class MemoryFiles : public FileReader {
 public:
  MemoryFiles() = default;
  /// Paths and texts. Directories are where paths have slashes.
  explicit MemoryFiles(std::map<std::string, std::string> files) : texts(std::move(files)) {}

  [[nodiscard]] Type type(const std::string& path) override {
    if (texts.contains(path)) return Type::file;
    if (std::ranges::find(others, path) != others.end()) return Type::other;
    return list(path) ? Type::directory : Type::missing;
  }

  [[nodiscard]] std::optional<std::vector<std::string>> list(const std::string& path) override {
    std::vector<std::string> names;
    bool found = std::ranges::find(empty_directories, path) != empty_directories.end();
    const std::string prefix = path.ends_with('/') ? path : path + "/";
    const auto add = [&](const std::string& file) {
      if (!file.starts_with(prefix)) return;
      const auto rest = file.substr(prefix.size());
      names.push_back(rest.substr(0, rest.find('/')));
      found = true;
    };
    for (const auto& [file, text] : texts) add(file);
    for (const auto& file : others) add(file);
    std::ranges::reverse(names);  // a directory is in no order
    if (!found) return std::nullopt;
    return names;
  }

  [[nodiscard]] Content read(const std::string& path, std::size_t limit) override {
    opened.push_back(path);
    const auto it = texts.find(path);
    if (it == texts.end()) return {ENOENT, false, {}};
    return {0, it->second.size() > limit, it->second.substr(0, limit)};
  }

  std::map<std::string, std::string> texts;
  std::vector<std::string> others;  ///< FIFOs, devices, sockets
  std::vector<std::string> empty_directories;
  std::vector<std::string> opened;
};

}  // namespace plumbline::testing
