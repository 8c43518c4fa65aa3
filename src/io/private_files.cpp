#include "plumbline/io/private_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace plumbline::io {

namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr mode_t others_write = S_IWGRP | S_IWOTH;

std::string described(const struct stat& status) {
  char mode[8] = {};
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.st_mode & 07777U));
  return "owner " + std::to_string(status.st_uid) + ", mode " + mode;
}

/// Why what is open there cannot be believed; nothing when it can.
std::string fault_of(int descriptor, mode_t type) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return errno_text(errno);
  if ((status.st_mode & S_IFMT) != type) {
    return type == S_IFDIR ? "it is no directory" : "it is no regular file";
  }
  if (status.st_uid != geteuid() || (status.st_mode & others_write) != 0) {
    return "it is not ours alone (" + described(status) + ")";
  }
  // A second name of a file may be where others have put it. None: it was replaced just now.
  if (type == S_IFREG && status.st_nlink > 1) return "it has another name (a hard link)";
  return {};
}

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& fault) {
  throw NotPrivate(path.string() + " is not used: " + fault +
                   "; see whose it is, then remove it or make it root's with mode 0700");
}

/// The open(2) of something that must be neither a link nor of another type.
bool is_another_type(int error) {
  return error == ELOOP || error == ENOTDIR || error == ENXIO || error == EISDIR || error == EACCES;
}

/// Nothing when it is not there.
Descriptor open_directory(int above, const std::filesystem::path& path, const char* name) {
  Descriptor directory(openat(above, name, directory_flags));
  if (directory || errno == ENOENT) return directory;
  if (errno == EACCES) refuse(path, errno_text(errno));
  if (is_another_type(errno)) refuse(path, "it is a symbolic link or no directory");
  give_up(path.string(), errno);
}

/// The directory that holds ours. In a sticky one nobody can put another in the place of ours.
Descriptor open_above(const std::filesystem::path& path) {
  Descriptor above = open_directory(AT_FDCWD, path, path.c_str());
  struct stat status {};
  const bool is_sticky = above && fstat(above.get(), &status) == 0 && status.st_uid == geteuid() &&
                         (status.st_mode & S_ISVTX) != 0;
  if (!above || is_sticky) return above;
  if (const std::string fault = fault_of(above.get(), S_IFDIR); !fault.empty()) refuse(path, fault);
  return above;
}

/// Whatever the umask.
void make_directory(int above, const std::filesystem::path& path, const char* name) {
  if (mkdirat(above, name, 0700) != 0) {
    if (errno != EEXIST) give_up(path.string(), errno);
    return;
  }
  const Descriptor made = open_directory(above, path, name);
  if (!made || fchmod(made.get(), 0700) != 0) give_up(path.string(), errno);
}

bool write_all(int descriptor, std::string_view content) {
  off_t place = 0;
  while (!content.empty()) {
    const ssize_t size = pwrite(descriptor, content.data(), content.size(), place);
    if (size < 0 && errno != EINTR) return false;
    if (size <= 0) continue;
    content.remove_prefix(static_cast<std::size_t>(size));
    place += size;
  }
  return true;
}

/// An errno.
int take_room(int descriptor, std::size_t room) {
  int error = EINTR;
  while (error == EINTR) error = posix_fallocate(descriptor, 0, static_cast<off_t>(room));
  return error;
}

/// Left behind by a process that died over it, it goes by remove_drafts(), or as the longest unused
/// one.
std::string name_of_draft(const std::string& name) {
  return name + "." + std::to_string(std::random_device()()) + ".new";
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

// ---- Draft --------------------------------------------------------------------------------------

Draft::Draft(const Descriptor& directory, std::filesystem::path path, std::size_t room)
    : directory_(directory.get()), path_(std::move(path)) {
  std::string fresh = name_of_draft(path_.filename());
  file_ = Descriptor(openat(directory_, fresh.c_str(),
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file_) give_up(path_.string(), errno);
  int error = fchmod(file_.get(), 0600) == 0 ? 0 : errno;
  if (error == 0 && room != 0) error = take_room(file_.get(), room);
  if (error != 0) {
    static_cast<void>(unlinkat(directory_, fresh.c_str(), 0));
    give_up(path_.string(), error);
  }
  fresh_ = std::move(fresh);
}

Draft::~Draft() {
  if (file_ && !fresh_.empty()) static_cast<void>(unlinkat(directory_, fresh_.c_str(), 0));
}

void Draft::write(std::string_view content) {
  if (!write_all(file_.get(), content)) give_up(path_.string(), errno);
  size_ = content.size();
}

void Draft::put_in_place() {
  const std::string name = path_.filename();
  // The room that was not needed is given back.
  if (ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) give_up(path_.string(), errno);
  if (renameat(directory_, fresh_.c_str(), directory_, name.c_str()) != 0) {
    give_up(path_.string(), errno);
  }
  fresh_.clear();
}

// ---- PrivateDirectory ---------------------------------------------------------------------------

std::optional<PrivateDirectory> PrivateDirectory::open(const std::filesystem::path& path) {
  const Descriptor above = open_above(path.parent_path());
  if (!above) return std::nullopt;
  Descriptor directory = open_directory(above.get(), path, path.filename().c_str());
  if (!directory) return std::nullopt;
  if (const std::string fault = fault_of(directory.get(), S_IFDIR); !fault.empty()) {
    refuse(path, fault);
  }
  return PrivateDirectory(std::move(directory), path);
}

PrivateDirectory PrivateDirectory::make(const std::filesystem::path& path) {
  if (auto there = open(path)) return std::move(*there);
  make_directory(AT_FDCWD, path.parent_path(), path.parent_path().c_str());
  const Descriptor above = open_above(path.parent_path());
  if (!above) give_up(path.string(), ENOENT);
  make_directory(above.get(), path, path.filename().c_str());
  if (auto made = open(path)) return std::move(*made);
  give_up(path.string(), ENOENT);
}

PrivateFile PrivateDirectory::read(const std::string& name, std::size_t most) const {
  const std::string path = path_ / name;
  // O_NONBLOCK, should somebody have made a FIFO of that name.
  const Descriptor file(openat(directory_.get(), name.c_str(),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file && errno == ENOENT) return {};
  if (!file && errno == ELOOP) return {std::nullopt, path + ": it is a symbolic link"};
  if (!file && is_shortage(errno)) give_up(path, errno);
  if (!file) return {std::nullopt, path + ": " + errno_text(errno)};
  if (const std::string fault = fault_of(file.get(), S_IFREG); !fault.empty()) {
    return {std::nullopt, path + ": " + fault};
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0) give_up(path, errno);
  if (static_cast<std::uintmax_t>(status.st_size) > most) {
    return {std::nullopt, path + ": too large"};
  }
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t size = ::read(file.get(), content.data() + done, content.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && is_shortage(errno)) give_up(path, errno);
    if (size < 0) return {std::nullopt, path + ": " + errno_text(errno)};
    if (size == 0) return {std::nullopt, path + ": it was cut while it was read"};
    done += static_cast<std::size_t>(size);
  }
  static_cast<void>(futimens(file.get(), nullptr));
  return {std::move(content), {}};
}

Draft PrivateDirectory::draft(const std::string& name, std::size_t room) const {
  if (name.find('/') != name.npos) give_up((path_ / name).string(), EINVAL);
  return {directory_, path_ / name, room};
}

bool PrivateDirectory::write(const std::string& name, std::string_view content) const {
  try {
    Draft fresh = draft(name, 0);
    fresh.write(content);
    fresh.put_in_place();
    return true;
  } catch (const HostError&) {
    return false;
  }
}

Descriptor PrivateDirectory::lock_file(const std::string& name) const {
  const std::string path = path_ / name;
  constexpr int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  Descriptor file(openat(directory_.get(), name.c_str(), O_RDWR | O_CREAT | flags, 0600));
  if (!file && errno == EROFS) file = Descriptor(openat(directory_.get(), name.c_str(), flags));
  if (!file && is_another_type(errno)) refuse(path, "it is a symbolic link or no regular file");
  if (!file) give_up(path, errno);
  if (const std::string fault = fault_of(file.get(), S_IFREG); !fault.empty()) refuse(path, fault);
  return file;
}

bool PrivateDirectory::names(const std::string& name, const Descriptor& file) const {
  struct stat there {};
  struct stat open_one {};
  return fstatat(directory_.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
         fstat(file.get(), &open_one) == 0 && there.st_ino == open_one.st_ino &&
         there.st_dev == open_one.st_dev;
}

bool PrivateDirectory::remove(const std::string& name) const {
  return unlinkat(directory_.get(), name.c_str(), 0) == 0 || errno == ENOENT;
}

void PrivateDirectory::remove_drafts(const std::string& name) const {
  for (const Used& file : files_in(directory_.get())) {
    if (file.name.starts_with(name + ".") && file.name.ends_with(".new")) remove(file.name);
  }
}

std::string PrivateDirectory::put_aside(const std::string& name) const {
  constexpr int most = 100;
  for (int number = 1; number <= most; ++number) {
    const std::string other = name + ".kept-" + std::to_string(number);
    if (renameat2(directory_.get(), name.c_str(), directory_.get(), other.c_str(),
                  RENAME_NOREPLACE) == 0) {
      return path_ / other;
    }
    if (errno == ENOENT) return {};
    if (errno != EEXIST) break;
  }
  give_up((path_ / name).string() + " cannot be kept under another name", errno);
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

std::string close_to_others(const std::filesystem::path& path) {
  const Descriptor directory(::open(path.c_str(), directory_flags));
  struct stat status {};
  if (!directory || fstat(directory.get(), &status) != 0) return {};
  if (status.st_uid != geteuid() || (status.st_mode & others_write) == 0) return {};
  if (fchmod(directory.get(), 0700) != 0) return {};
  return path.string() + " could be written by others (" + described(status) +
         "): its mode is 0700 now";
}

}  // namespace plumbline::io
