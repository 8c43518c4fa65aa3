#include "tests/house/tree.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace plumbline::house {

namespace fs = std::filesystem;

fs::path root() { return PLUMBLINE_SOURCE_DIR; }

File read_file(const fs::path& path) {
  std::ifstream stream(path);
  if (!stream) throw std::runtime_error("cannot read " + path.string());
  File file{fs::relative(path, root()).generic_string(), {}};
  for (std::string line; std::getline(stream, line);) file.lines.push_back(line);
  return file;
}

std::vector<File> files_below(std::string_view folder,
                              const std::vector<std::string_view>& suffixes) {
  std::vector<File> files;
  for (const auto& entry : fs::recursive_directory_iterator(root() / folder)) {
    const auto suffix = entry.path().extension().string();
    if (entry.is_regular_file() && std::ranges::count(suffixes, std::string_view(suffix)) != 0) {
      files.push_back(read_file(entry.path()));
    }
  }
  std::ranges::sort(files, {}, &File::path);
  return files;
}

std::vector<File> program_sources() {
  auto files = files_below("include", {".hpp"});
  auto sources = files_below("src", {".cpp", ".hpp"});
  std::ranges::move(sources, std::back_inserter(files));
  return files;
}

std::string_view code_of(std::string_view line) { return line.substr(0, line.find("//")); }

std::string joined(const std::vector<std::string>& faults) {
  std::string text;
  for (const auto& fault : faults) text += "\n  " + fault;
  return text;
}

}  // namespace plumbline::house
