#include "plumbline/io/files.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "plumbline/io/descriptor.hpp"

namespace plumbline::io {

namespace {

/// Reads to the end, or until there is more than `limit`. Standard input may be non-blocking when
/// another process that shares it made it so.
FileReader::Content read_all(int descriptor, std::size_t limit) {
  FileReader::Content content;
  std::array<char, 1U << 16U> buffer{};
  for (;;) {
    const auto count = ::read(descriptor, buffer.data(), buffer.size());
    if (count == 0) return content;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      pollfd waiting{descriptor, POLLIN, 0};
      ::poll(&waiting, 1, -1);
      continue;
    }
    if (count < 0) {
      content.error = errno;
      return content;
    }
    const auto fits = std::min(static_cast<std::size_t>(count), limit - content.text.size());
    content.text.append(buffer.data(), fits);
    if (fits < static_cast<std::size_t>(count)) {
      content.too_large = true;
      return content;
    }
  }
}

FileReader::Type type_of(const struct stat& status) {
  if (S_ISREG(status.st_mode)) return FileReader::Type::file;
  if (S_ISDIR(status.st_mode)) return FileReader::Type::directory;
  return FileReader::Type::other;
}

}  // namespace

FileReader::Type Files::type(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? type_of(status) : Type::missing;
}

std::optional<std::vector<std::string>> Files::list(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return std::nullopt;
  return names;
}

FileReader::Content Files::read(const std::string& path, std::size_t limit) {
  if (path == "-") return read_all(STDIN_FILENO, limit);
  // O_NONBLOCK, should the file have become a FIFO since type() was asked.
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!descriptor || ::fstat(descriptor.get(), &status) != 0) return {errno, false, {}};
  const Type type = type_of(status);
  if (type == Type::directory) return {EISDIR, false, {}};
  if (type == Type::other) return {EINVAL, false, {}};
  Content content = read_all(descriptor.get(), limit);
  content.others_may_read = (status.st_mode & S_IROTH) != 0;
  content.others_may_write = (status.st_mode & S_IWOTH) != 0;
  return content;
}

std::string file_identity(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  std::string identity = std::to_string(found.st_ino) + " " + std::to_string(found.st_size);
  // The time of change too: cp -p and tar set the other one.
  for (const timespec& time : {found.st_mtim, found.st_ctim}) {
    identity += " " + std::to_string(time.tv_sec) + "." + std::to_string(time.tv_nsec);
  }
  return identity;
}

}  // namespace plumbline::io
