#include "plumbline/memory/put_back.hpp"

#include "plumbline/memory/goals.hpp"

namespace plumbline::memory {

std::vector<Due> due(const State& want, const State& have, const Memory& memory) {
  const Goals goals(memory, want);
  std::vector<Due> due;
  for (const Sysctl& remembered : memory.earlier.of<Sysctl>()) {
    if (want.find<Sysctl>(key(remembered)) != nullptr) continue;
    const Sysctl* now = have.find<Sysctl>(key(remembered));
    const auto goal = goals.sysctl(remembered.path);
    if (now == nullptr || !goal || complete(*goal, *now) == *now) continue;
    due.push_back({format(key(*goal)), wire::SysctlRead{goal->path, true}});
  }
  return due;
}

std::string waits_for(const Resource& refused) {
  const auto* sysctl = std::get_if<Sysctl>(&refused);
  if (sysctl == nullptr) return "a kernel that takes it";
  return "a kernel that takes '" + sysctl->value + "'";
}

bool is_to_be_put_back(const Memory& memory, const State& want, const Key& key) {
  return std::visit(
      [&]<class KeyType>(const KeyType& of) {
        if constexpr (std::is_same_v<KeyType, Sysctl::Key>) {
          return memory.earlier.find<Sysctl>(of) != nullptr && want.find<Sysctl>(of) == nullptr;
        } else if constexpr (std::is_same_v<KeyType, Link::Key>) {
          return memory.earlier.find<Link>(of) != nullptr && want.find<Link>(of) == nullptr;
        } else {
          return false;
        }
      },
      key);
}

}  // namespace plumbline::memory
