// Which files a spec was read from, those that it names included: all of them are to be watched.

#pragma once

#include <set>
#include <string>
#include <utility>

#include "plumbline/base/file_reader.hpp"

namespace plumbline::daemon {

/// Passes everything on and notes what was read, or was to be.
class ReadFiles final : public FileReader {
 public:
  explicit ReadFiles(FileReader& files) : files_(&files) {}

  [[nodiscard]] Type type(const std::string& path) override { return files_->type(path); }
  [[nodiscard]] std::optional<std::vector<std::string>> list(const std::string& path) override {
    return files_->list(path);
  }
  [[nodiscard]] Content read(const std::string& path, std::size_t limit) override {
    names_.insert(path);
    return files_->read(path, limit);
  }

  /// Since the last call; `-`, which nobody can watch, is not among them.
  [[nodiscard]] std::set<std::string> take_names() {
    names_.erase("-");
    return std::exchange(names_, {});
  }

 private:
  FileReader* files_;
  std::set<std::string> names_;
};

}  // namespace plumbline::daemon
