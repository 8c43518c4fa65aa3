#include "plumbline/io/private_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

namespace plumbline::io {

namespace {

bool is_ours_alone(int descriptor, mode_t type, struct stat& status) {
  return fstat(descriptor, &status) == 0 && (status.st_mode & S_IFMT) == type &&
         status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t size = write(descriptor, content.data(), content.size());
    if (size < 0 && errno != EINTR) return false;
    if (size > 0) content.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

struct Used {
  timespec when{};
  std::uintmax_t size = 0;
  std::string name;
};

std::vector<Used> files_in(int directory) {
  std::vector<Used> files;
  const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return files;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(fdopendir(again), closedir);
  if (!listing) {
    ::close(again);
    return files;
  }
  while (const dirent* entry = readdir(listing.get())) {
    struct stat status {};
    if (fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISDIR(status.st_mode)) continue;
    files.push_back({status.st_mtim, static_cast<std::uintmax_t>(status.st_size), entry->d_name});
  }
  return files;
}

}  // namespace

std::optional<PrivateDirectory> PrivateDirectory::open(const std::filesystem::path& path) {
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!directory || !is_ours_alone(directory.get(), S_IFDIR, status)) return std::nullopt;
  return PrivateDirectory(std::move(directory));
}

std::optional<PrivateDirectory> PrivateDirectory::make(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  static_cast<void>(mkdir(path.c_str(), 0700));
  return open(path);
}

std::optional<std::string> PrivateDirectory::read(const std::string& name, std::size_t most) const {
  // O_NONBLOCK, should somebody have made a FIFO of that name.
  const Descriptor file(openat(directory_.get(), name.c_str(),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status {};
  if (!file || !is_ours_alone(file.get(), S_IFREG, status)) return std::nullopt;
  if (static_cast<std::uintmax_t>(status.st_size) > most) return std::nullopt;
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t size = ::read(file.get(), content.data() + done, content.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return std::nullopt;
    done += static_cast<std::size_t>(size);
  }
  static_cast<void>(futimens(file.get(), nullptr));
  return content;
}

bool PrivateDirectory::write(const std::string& name, std::string_view content) const {
  // Left behind by a process that died over it, it goes as the longest unused one.
  const std::string fresh = name + "." + std::to_string(std::random_device()()) + ".new";
  const Descriptor file(openat(directory_.get(), fresh.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return false;
  const bool done = write_all(file.get(), content) &&
                    renameat(directory_.get(), fresh.c_str(), directory_.get(), name.c_str()) == 0;
  if (!done) remove(fresh);
  return done;
}

void PrivateDirectory::remove(const std::string& name) const {
  static_cast<void>(unlinkat(directory_.get(), name.c_str(), 0));
}

void PrivateDirectory::keep(std::size_t most_files, std::uintmax_t most_bytes) const {
  std::vector<Used> files = files_in(directory_.get());
  std::ranges::sort(files, [](const Used& a, const Used& b) {
    return std::pair(a.when.tv_sec, a.when.tv_nsec) > std::pair(b.when.tv_sec, b.when.tv_nsec);
  });
  std::uintmax_t bytes = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    bytes += files[i].size;
    if (i >= most_files || bytes > most_bytes) remove(files[i].name);
  }
}

}  // namespace plumbline::io
