// The files below /proc/sys, which are those of the calling thread's network namespace.

#pragma once

#include <string>

#include "plumbline/wire/request.hpp"

namespace plumbline::io {

/// `path` as in wire::SysctlRead; EINVAL when it could lead out of /proc/sys.
[[nodiscard]] wire::Reply read_sysctl(const std::string& path);
/// Whether it could be written; writes nothing.
[[nodiscard]] wire::Reply can_write_sysctl(const std::string& path);
[[nodiscard]] wire::Reply write_sysctl(const std::string& path, const std::string& value);

}  // namespace plumbline::io
