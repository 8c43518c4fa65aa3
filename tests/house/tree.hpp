// The repository as the checks of this folder read it: files, lines, includes.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline::house {

/// Top of the source tree.
[[nodiscard]] std::filesystem::path root();

struct File {
  std::string path;  ///< relative to the top, with slashes
  std::vector<std::string> lines;
};

/// The files below `folder` with one of the suffixes, by path. Throws when the folder is missing.
[[nodiscard]] std::vector<File> files_below(std::string_view folder,
                                            const std::vector<std::string_view>& suffixes);
[[nodiscard]] File read_file(const std::filesystem::path& path);

/// Every source and header of the program itself.
[[nodiscard]] std::vector<File> program_sources();

/// A line without what follows `//`. Crude about strings, which is enough for words of code.
[[nodiscard]] std::string_view code_of(std::string_view line);

/// One fault per line, for a test's message.
[[nodiscard]] std::string joined(const std::vector<std::string>& faults);

}  // namespace plumbline::house
