#include "sysctl_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "plumbline/io/descriptor.hpp"

namespace plumbline::io {

namespace {

constexpr std::size_t longest_value = std::size_t{64} << 10U;

bool stays_below(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const auto slash = path.find('/');
    const auto component = path.substr(0, slash);
    if (component.empty() || component == "." || component == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

wire::Reply failure(int error, const std::string& path) {
  return {error, "/proc/sys/" + path, {}, {}};
}

}  // namespace

wire::Reply read_sysctl(const std::string& path) {
  if (!stays_below(path)) return failure(EINVAL, path);
  const Descriptor file(
      open(("/proc/sys/" + path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return failure(errno, path);
  wire::Reply reply;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t size = read(file.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failure(errno, path);
    if (size == 0) break;
    reply.text.append(buffer.data(), static_cast<std::size_t>(size));
    if (reply.text.size() > longest_value) return failure(EFBIG, path);
  }
  if (!reply.text.empty() && reply.text.back() == '\n') reply.text.pop_back();
  return reply;
}

namespace {

Descriptor open_for_writing(const std::string& path) {
  return Descriptor(
      open(("/proc/sys/" + path).c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

}  // namespace

wire::Reply can_write_sysctl(const std::string& path) {
  if (!stays_below(path)) return failure(EINVAL, path);
  return open_for_writing(path) ? wire::Reply() : failure(errno, path);
}

wire::Reply write_sysctl(const std::string& path, const std::string& value) {
  if (!stays_below(path)) return failure(EINVAL, path);
  const Descriptor file = open_for_writing(path);
  if (!file) return failure(errno, path);
  // In one write: a sysctl takes each write for the whole value (proc_dointvec() and its like).
  while (true) {
    const ssize_t size = write(file.get(), value.data(), value.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failure(errno, path);
    if (static_cast<std::size_t>(size) != value.size()) return failure(EINVAL, path);
    return {};
  }
}

}  // namespace plumbline::io
