#include "plumbline/memory/owned.hpp"

namespace plumbline::memory {

State owned_part(const State& have, const Memory& memory, const Mark& mark) {
  State owned;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : have.of<K>()) {
      const bool remembered = memory.earlier.find<K>(key(value)) != nullptr;
      if constexpr (std::is_same_v<K, Sysctl>) {
        const auto followed = memory.followed.find(value.path);
        const bool only_followed = followed != memory.followed.end() && !followed->second.set;
        if (remembered && !only_followed) owned.of<K>().push_back(value);
      } else if constexpr (std::is_same_v<K, SharedChain>) {
        if (!remembered && !is_marked(value, mark)) continue;
        owned.of<K>().push_back(value);
        if (!remembered) owned.of<K>().back().policy.reset();
      } else if (is_marked(value, mark)) {
        owned.of<K>().push_back(value);
      }
    }
  });
  return owned;
}

}  // namespace plumbline::memory
