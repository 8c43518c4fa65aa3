// Network namespaces: into one, a new one held by a descriptor, and which one this is.
//
// setns(2) and unshare(2) act on the calling thread alone. Whatever here works in another namespace
// does so in a short-lived thread of its own, so no failure can leave the caller in a wrong one.

#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "plumbline/io/descriptor.hpp"

namespace plumbline::io {

/// A network namespace that lives at least as long as this object.
class NetworkNamespace {
 public:
  /// By name (`/run/netns/NAME`) or, with a slash, by path. Throws HostError.
  [[nodiscard]] static NetworkNamespace open(const std::string& name_or_path);
  /// The calling thread's.
  [[nodiscard]] static NetworkNamespace current();
  /// A new one with nothing but a loopback that is down. It has no name and no process: when the
  /// last descriptor of it is closed the kernel takes it away.
  [[nodiscard]] static NetworkNamespace make_scratch();

  [[nodiscard]] int get() const { return descriptor_.get(); }
  /// Calls `work` inside, in a thread of its own, and waits. What it throws is thrown here.
  void run(const std::function<void()>& work) const;

 private:
  explicit NetworkNamespace(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  Descriptor descriptor_;
};

/// Moves the calling thread for good, as `ip -n` does: for a process that has no other thread yet.
/// Throws HostError.
void enter_namespace(const std::string& name_or_path);

/// SO_NETNS_COOKIE of the calling thread's namespace: unlike a name or an inode number it is never
/// used again until the next boot. Throws HostError.
[[nodiscard]] std::uint64_t namespace_cookie();

}  // namespace plumbline::io
