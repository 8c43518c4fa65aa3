// Where the bytes of files come from, for layers that open nothing themselves.
//
// io::Files is the real one; tests give their own. Nothing here can write.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace plumbline {

class FileReader {
 public:
  enum class Type : std::uint8_t { missing, file, directory, other };
  struct Content {
    int error = 0;           ///< errno, 0 when it was read
    bool too_large = false;  ///< cut off at the limit asked for
    std::string text;
    // Of the file that was read, whatever has become of its name since.
    bool others_may_read = false;
    bool others_may_write = false;
  };

  virtual ~FileReader() = default;
  /// Follows symbolic links. A FIFO, device or socket is `other` and is never opened. What cannot
  /// be looked at, for whatever reason, is `missing`.
  [[nodiscard]] virtual Type type(const std::string& path) = 0;
  /// The names in a directory, in no order; nothing when it cannot be read.
  [[nodiscard]] virtual std::optional<std::vector<std::string>> list(const std::string& path) = 0;
  /// At most `limit` bytes of a regular file; `-` is standard input, whatever that is.
  [[nodiscard]] virtual Content read(const std::string& path, std::size_t limit) = 0;
};

}  // namespace plumbline
