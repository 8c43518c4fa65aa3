// A directory of files that only we read and write, for what may be lost at any time.
//
// Nothing in it is believed unless it is ours: a file or a directory of another owner, or one that
// others can write to, is as good as none. A file is replaced as a whole or not at all, whoever
// else replaces it meanwhile.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "plumbline/io/descriptor.hpp"

namespace plumbline::io {

class PrivateDirectory {
 public:
  /// Nothing when it is not there or not ours alone.
  [[nodiscard]] static std::optional<PrivateDirectory> open(const std::filesystem::path& path);
  /// Makes it with mode 0700, and what is above it, when it is not there.
  [[nodiscard]] static std::optional<PrivateDirectory> make(const std::filesystem::path& path);

  /// The content of a regular file that is ours alone and has no more bytes than that. It counts as
  /// used now.
  [[nodiscard]] std::optional<std::string> read(const std::string& name, std::size_t most) const;
  /// False when it could not be written; what was there before is there still.
  [[nodiscard]] bool write(const std::string& name, std::string_view content) const;
  void remove(const std::string& name) const;
  /// Removes the files that were not used for the longest time, until no more are left.
  void keep(std::size_t most_files, std::uintmax_t most_bytes) const;

 private:
  explicit PrivateDirectory(Descriptor directory) : directory_(std::move(directory)) {}

  Descriptor directory_;
};

}  // namespace plumbline::io
