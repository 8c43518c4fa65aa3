#include "conditions.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace plumbline::daemon {

Conditions::Changes Conditions::update(std::vector<std::string> now) {
  Changes changes;
  std::set<std::string> current;
  for (std::string& line : now) {
    const auto [at, is_first] = current.insert(std::move(line));
    if (is_first && !known_.contains(*at)) changes.begun.push_back(*at);
  }
  std::ranges::set_difference(known_, current, std::back_inserter(changes.over));
  known_ = std::move(current);
  return changes;
}

}  // namespace plumbline::daemon
