// A directory of files that only we read and write.
//
// Nothing in it is believed unless it is ours: a file or a directory of another owner, one that
// others can write to, a symbolic link or a file of two names is told, and never used. A file is
// replaced as a whole or not at all, whoever else replaces it meanwhile. It does not know what the
// files are for, and puts nobody's modes right but by close_to_others().

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "plumbline/io/descriptor.hpp"
#include "plumbline/io/host.hpp"

namespace plumbline::io {

/// Something is there, and not ours alone. Says what, whose, and what to do about it.
struct NotPrivate : HostError {
  using HostError::HostError;
};

/// The whole of a file, or why it is not known.
struct PrivateFile {
  std::optional<std::string> content;
  std::string fault;  ///< in words; empty when there is no such file
};

/// The next content of a file, beside it until it is put in its place; gone when it never is.
class Draft {
 public:
  Draft(Draft&&) = default;
  Draft& operator=(Draft&&) = delete;
  ~Draft();

  /// What was written before is not kept. Within the room that was taken the file system needs no
  /// more of it. Throws HostError.
  void write(std::string_view content);
  /// The file has this content from now on. Throws HostError: then it has that from before.
  void put_in_place();

 private:
  friend class PrivateDirectory;
  Draft(const Descriptor& directory, std::filesystem::path path, std::size_t room);

  int directory_;  ///< the PrivateDirectory's, which outlives it
  Descriptor file_;
  std::filesystem::path path_;
  std::string fresh_;
  std::size_t size_ = 0;
};

class PrivateDirectory {
 public:
  /// Nothing when it is not there. The directory above it must be ours alone as well, or a sticky
  /// one such as /tmp. Throws NotPrivate, HostError.
  [[nodiscard]] static std::optional<PrivateDirectory> open(const std::filesystem::path& path);
  /// Makes it with mode 0700, and the directory above it, when it is not there.
  [[nodiscard]] static PrivateDirectory make(const std::filesystem::path& path);

  /// The content of a regular file that is ours alone and has no more bytes than that. It counts as
  /// used now. Throws HostError when that cannot be found out now: no descriptor, no memory.
  [[nodiscard]] PrivateFile read(const std::string& name, std::size_t most) const;
  /// Takes room for that many bytes at once. Throws HostError.
  [[nodiscard]] Draft draft(const std::string& name, std::size_t room) const;
  /// False when it could not be written; what was there before is there still.
  [[nodiscard]] bool write(const std::string& name, std::string_view content) const;
  /// For flock(2), made when it is missing, to be read only where nothing can be written. Throws
  /// NotPrivate, HostError.
  [[nodiscard]] Descriptor lock_file(const std::string& name) const;
  /// Whether the name leads to that open file.
  [[nodiscard]] bool names(const std::string& name, const Descriptor& file) const;
  /// False when there is something of that name still.
  bool remove(const std::string& name) const;
  /// Removes what drafts of that file were left behind by processes that died over them.
  void remove_drafts(const std::string& name) const;
  /// Another name for what should be a file of ours and is not: that, or nothing where there is no
  /// such thing. Throws HostError.
  [[nodiscard]] std::string put_aside(const std::string& name) const;
  /// Removes the files that were not used for the longest time, until no more are left.
  void keep(std::size_t most_files, std::uintmax_t most_bytes) const;

 private:
  PrivateDirectory(Descriptor directory, std::filesystem::path path)
      : directory_(std::move(directory)), path_(std::move(path)) {}

  Descriptor directory_;
  std::filesystem::path path_;
};

/// Takes from others what they may write of a directory that is ours: as made with a lax umask.
/// Says so in words, when it did. What they may have left there is judged when it is used.
[[nodiscard]] std::string close_to_others(const std::filesystem::path& path);

}  // namespace plumbline::io
