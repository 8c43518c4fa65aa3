// The files of the host, for those who read a spec.
//
// Opens regular files only: a FIFO would wait for a writer, and opening some devices does things.

#pragma once

#include "plumbline/base/file_reader.hpp"

namespace plumbline::io {

class Files : public FileReader {
 public:
  [[nodiscard]] Type type(const std::string& path) override;
  [[nodiscard]] std::optional<std::vector<std::string>> list(const std::string& path) override;
  [[nodiscard]] Content read(const std::string& path, std::size_t limit) override;
};

/// Changes when the file behind the path is another one, or was written to; empty when there is
/// none.
[[nodiscard]] std::string file_identity(const std::string& path);

}  // namespace plumbline::io
