// One plumbline at a time per network namespace, among those that change something.
//
// Held by the kernel for the process, however that ends; who only looks takes none.

#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include "plumbline/io/descriptor.hpp"

namespace plumbline::engine {

/// Released with the object, or the process.
class Lock {
 public:
  /// On the file `lock` in the ledger's directory. Nothing when another process has it; `holder` is
  /// then its pid, 0 when it cannot be told. Throws io::HostError.
  [[nodiscard]] static std::optional<Lock> take(const std::filesystem::path& directory,
                                                int& holder);

 private:
  explicit Lock(io::Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  io::Descriptor descriptor_;
};

}  // namespace plumbline::engine
