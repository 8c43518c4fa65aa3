// What a plan may have changed, the kernel's own part in it included: whatever else is another than
// before was changed by others, and is theirs.
//
// Rather too much than too little. It asks nobody, and knows no order.

#pragma once

#include <set>
#include <string>

#include "plumbline/state/step.hpp"

namespace plumbline::kernel {

class Reach {
 public:
  explicit Reach(const Plan& plan);

  [[nodiscard]] bool has(const Resource& value) const;
  /// Whether a step is about it, and not the kernel alone.
  [[nodiscard]] bool touches(const Key& key) const { return keys_.contains(key); }

 private:
  void add(const Resource& value);

  std::set<Key> keys_;
  std::set<IfName> links_;
  std::set<IpAddress> addresses_;
  std::set<std::pair<Family, std::string>> tables_;
  bool sysctls_ = false;     ///< some are changed along with others
  bool everything_ = false;  ///< of links, and on them: one goes, or goes down
};

}  // namespace plumbline::kernel
