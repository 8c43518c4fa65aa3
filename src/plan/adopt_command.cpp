#include "adopt_command.hpp"

namespace plumbline::plan {

std::string adopt_command(const Key& key) {
  std::string quoted;
  for (const char c : format(key)) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return "plumbline adopt '" + quoted + "'";
}

}  // namespace plumbline::plan
