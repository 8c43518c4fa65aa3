// One directory in place of another, for a test that is about what a host lacks.

#pragma once

#include <filesystem>

namespace plumbline::test {

/// While it lives, `directory` is at `place` for this process and those it starts, in a mount
/// namespace that the process keeps. Throws where that may not be.
class Covered {
 public:
  Covered(const std::filesystem::path& directory, std::filesystem::path place);
  Covered(const Covered&) = delete;
  Covered& operator=(const Covered&) = delete;
  ~Covered();

 private:
  std::filesystem::path place_;
};

}  // namespace plumbline::test
