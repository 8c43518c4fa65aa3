// One file or directory in place of another, for a test that is about what a host lacks or has.
// Whatever covers something goes through here: what stayed covered would be so for all tests that
// follow in the same process.

#pragma once

#include <filesystem>
#include <memory>

namespace plumbline::test {

/// While it lives, `other` is at `place` for this process and those it starts, in a mount
/// namespace that the process keeps. Throws where that may not be.
class Covered {
 public:
  Covered(const std::filesystem::path& other, std::filesystem::path place);
  /// Null where that may not be.
  [[nodiscard]] static std::unique_ptr<Covered> if_allowed(const std::filesystem::path& other,
                                                           std::filesystem::path place);
  Covered(const Covered&) = delete;
  Covered& operator=(const Covered&) = delete;
  ~Covered();

 private:
  std::filesystem::path place_;
};

}  // namespace plumbline::test
