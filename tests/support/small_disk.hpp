// A small file system of a test's own, in memory, that can be full or read-only.
//
// In a mount namespace of the test program's: nobody else sees it. It is gone with its object.

#pragma once

#include <sched.h>
#include <sys/mount.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace plumbline::test {

class SmallDisk {
 public:
  /// On a directory, which is made when it is missing. Not mounted where nothing can be.
  SmallDisk(std::filesystem::path at, std::size_t bytes) : at_(std::move(at)) {
    std::filesystem::create_directories(at_);
    if (unshare(CLONE_NEWNS) != 0) return;
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
    const std::string options = "mode=0700,size=" + std::to_string(bytes);
    is_mounted_ = mount("tmpfs", at_.c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (is_mounted_) umount2(at_.c_str(), MNT_DETACH);
  }

  [[nodiscard]] bool is_mounted() const { return is_mounted_; }
  [[nodiscard]] const std::filesystem::path& at() const { return at_; }
  /// Until not a byte more can be written; files can still be made.
  void fill() const {
    std::ofstream stream(at_ / "rest");
    while (stream << std::string(512, 'x') << std::flush) {
    }
  }
  void make_room() const { std::filesystem::remove(at_ / "rest"); }
  void set_read_only(bool on) const {
    unsigned long flags = MS_REMOUNT;
    if (on) flags |= MS_RDONLY;
    mount(nullptr, at_.c_str(), nullptr, flags, nullptr);
  }

 private:
  std::filesystem::path at_;
  bool is_mounted_ = false;
};

}  // namespace plumbline::test
