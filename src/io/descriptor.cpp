#include "plumbline/io/descriptor.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "plumbline/io/host.hpp"

namespace plumbline::io {

void Descriptor::close() noexcept {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

std::string errno_text(int error) { return std::generic_category().message(error); }

void give_up(const std::string& what, int error) {
  throw HostError(what + ": " + errno_text(error), error);
}

namespace {

constexpr std::array shortages{EMFILE, ENFILE, ENOMEM, ENOBUFS, EAGAIN, EINTR};

}  // namespace

bool is_shortage(int error) { return std::ranges::find(shortages, error) != shortages.end(); }

bool tells_of_shortage(std::string_view said) {
  return std::ranges::any_of(
      shortages, [&](int error) { return said.find(errno_text(error)) != std::string_view::npos; });
}

}  // namespace plumbline::io
