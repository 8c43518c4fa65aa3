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
  /// On the file `lock` in the ledger's directory, or, where no file can be made, as on a full
  /// disk, of_namespace(). Nothing when another process has it; `holder` is then its pid, 0 when it
  /// cannot be told. Throws io::NotPrivate, io::HostError.
  [[nodiscard]] static std::optional<Lock> take(const std::filesystem::path& directory,
                                                int& holder);
  /// On the calling thread's network namespace: needs no disk, and every user there can hold it up.
  [[nodiscard]] static std::optional<Lock> of_namespace(int& holder);

 private:
  explicit Lock(io::Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  io::Descriptor descriptor_;
};

}  // namespace plumbline::engine
