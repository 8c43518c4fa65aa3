#include "tests/support/elsewhere.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

#include "tests/support/netns.hpp"

namespace plumbline::test {

namespace {

std::string namespace_of(const std::string& process) {
  std::array<char, 64> text{};
  const auto size = readlink(("/proc/" + process + "/ns/net").c_str(), text.data(), text.size());
  return std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
}

}  // namespace

Elsewhere::Elsewhere() : child_(fork()) {
  if (child_ == 0) {
    if (!enter_new_netns().empty()) _exit(1);
    pause();
    _exit(0);
  }
  while (namespace_of(std::to_string(child_)) == namespace_of("thread-self")) usleep(1000);
}

Elsewhere::~Elsewhere() {
  kill(child_, SIGKILL);
  waitpid(child_, nullptr, 0);
}

std::string Elsewhere::ip(std::string_view arguments) const {
  std::vector<std::string> words{"nsenter", "--net=" + path(), "ip"};
  std::istringstream in{std::string(arguments)};
  for (std::string word; in >> word;) words.push_back(word);
  return run(words).output;
}

}  // namespace plumbline::test
