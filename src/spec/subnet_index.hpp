// Prefixes that overlap a given one, without looking at each.
//
// Two prefixes overlap only when one holds the other: those that hold it are found by their length,
// those in it stand together.

#pragma once

#include <map>
#include <utility>

#include "plumbline/base/ip.hpp"

namespace plumbline::spec {

template <class T>
class SubnetIndex {
 public:
  void add(const Prefix& prefix, T value) { values_.emplace(prefix, std::move(value)); }

  /// The first that overlaps and that `takes(prefix, value)`: one that holds `prefix`, or is it, or
  /// else one in it. Null when there is none.
  template <class Takes>
  const T* find(const Prefix& prefix, const Takes& takes) const {
    for (unsigned length = 0; length <= prefix.length(); ++length) {
      const auto holder = Prefix::masking(prefix.address(), static_cast<std::uint8_t>(length));
      const auto [first, last] = values_.equal_range(holder);
      for (auto it = first; it != last; ++it) {
        if (takes(it->first, it->second)) return &it->second;
      }
    }
    for (auto it = values_.upper_bound(prefix); it != values_.end(); ++it) {
      if (!prefix.contains(it->first.address())) break;
      if (takes(it->first, it->second)) return &it->second;
    }
    return nullptr;
  }

 private:
  std::multimap<Prefix, T> values_;
};

}  // namespace plumbline::spec
