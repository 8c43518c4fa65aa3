#include "plumbline/io/descriptor.hpp"

#include <unistd.h>

#include <system_error>

#include "plumbline/io/host.hpp"

namespace plumbline::io {

void Descriptor::close() noexcept {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

std::string errno_text(int error) { return std::generic_category().message(error); }

void give_up(const std::string& what, int error) {
  throw HostError(what + ": " + errno_text(error));
}

}  // namespace plumbline::io
