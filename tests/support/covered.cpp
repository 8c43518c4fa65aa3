#include "tests/support/covered.hpp"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace plumbline::test {

Covered::Covered(const std::filesystem::path& other, std::filesystem::path place)
    : place_(std::move(place)) {
  if (unshare(CLONE_NEWNS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount(other.c_str(), place_.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot cover " + place_.string());
  }
}

std::unique_ptr<Covered> Covered::if_allowed(const std::filesystem::path& other,
                                             std::filesystem::path place) {
  try {
    return std::make_unique<Covered>(other, std::move(place));
  } catch (const std::system_error&) {
    return nullptr;
  }
}

Covered::~Covered() { umount2(place_.c_str(), MNT_DETACH); }

}  // namespace plumbline::test
