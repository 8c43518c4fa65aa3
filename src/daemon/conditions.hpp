// What a log should say of a condition that lasts: that it began and that it is over, not that it
// is still so at every pass.

#pragma once

#include <set>
#include <string>
#include <vector>

namespace plumbline::daemon {

class Conditions {
 public:
  struct Changes {
    std::vector<std::string> begun;
    std::vector<std::string> over;
  };

  /// `now` is everything that is the case. Keeps no more than that.
  Changes update(std::vector<std::string> now);

 private:
  std::set<std::string> known_;
};

}  // namespace plumbline::daemon
