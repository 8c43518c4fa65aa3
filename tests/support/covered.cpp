#include "tests/support/covered.hpp"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace plumbline::test {

Covered::Covered(const std::filesystem::path& directory, std::filesystem::path place)
    : place_(std::move(place)) {
  if (unshare(CLONE_NEWNS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount(directory.c_str(), place_.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot cover " + place_.string());
  }
}

Covered::~Covered() { umount2(place_.c_str(), MNT_DETACH); }

}  // namespace plumbline::test
