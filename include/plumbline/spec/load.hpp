// Spec files in, one checked Spec out: reading, merging, decoding, checking. All faults at once.
//
// Offline and unprivileged: it asks the kernel nothing and reads only through the FileReader that
// the caller gives. What only the host can tell is found later, by engine::compile and make_plan.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plumbline/base/diagnostics.hpp"
#include "plumbline/kinds/kinds.hpp"

namespace plumbline::spec {

/// Where files come from. io::Files is the real one; tests give their own.
class FileReader {
 public:
  enum class Type : std::uint8_t { missing, file, directory, other };
  struct Content {
    int error = 0;           ///< errno, 0 when it was read
    bool too_large = false;  ///< cut off at the limit asked for
    std::string text;
  };

  virtual ~FileReader() = default;
  /// Follows symbolic links. A FIFO, device or socket is `other` and is never opened.
  [[nodiscard]] virtual Type type(const std::string& path) = 0;
  /// The names in a directory, in no order; nothing when it cannot be read.
  [[nodiscard]] virtual std::optional<std::vector<std::string>> list(const std::string& path) = 0;
  /// At most `limit` bytes of a regular file; `-` is standard input.
  [[nodiscard]] virtual Content read(const std::string& path, std::size_t limit) = 0;
};

/// What the files say. So far only resources; `networks` will join them here.
struct Spec {
  State state;
  /// Where each object is in the files.
  std::map<Key, Origin> origins;
  /// Where each rule of a chain is: by chain, `insert` rules before `append` rules.
  std::map<Key, std::vector<Origin>> rule_origins;
};

/// Reads every source: a file, a directory or `-`. Errors and warnings go to `diagnostics`; with
/// any error the returned Spec is incomplete and must not be used.
[[nodiscard]] Spec load(const std::vector<std::string>& sources, FileReader& files,
                        Diagnostics& diagnostics);

/// The files that `sources` stand for now, in the order in which load() reads them: a directory's
/// spec files by name, hidden files, editor backups and other suffixes left out.
[[nodiscard]] std::vector<std::string> files_of(const std::vector<std::string>& sources,
                                                FileReader& files);

}  // namespace plumbline::spec
