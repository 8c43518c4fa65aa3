// The objects of a KernelModel, looked at one after the other. For its sources alone.

#pragma once

#include <algorithm>
#include <string>

#include "tests/support/kernel_model.hpp"

namespace plumbline::testing {

template <class K>
std::string insert(State& state, const K& value) {
  state.of<K>().push_back(value);
  state.sort();
  return {};
}

template <class K>
K* find(State& state, const typename K::Key& wanted) {
  for (K& value : state.of<K>()) {
    if (key(value) == wanted) return &value;
  }
  return nullptr;
}

template <class K>
std::string replace(State& state, const K& before, const K& after) {
  K* there = find<K>(state, key(before));
  if (there == nullptr) return "ENOENT: " + format(key(before));
  *there = after;
  return {};
}

template <class K>
std::string erase(State& state, const K& value) {
  if (find<K>(state, key(value)) == nullptr) return "ENOENT: " + format(key(value));
  std::erase_if(state.of<K>(), [&](const K& other) { return key(other) == key(value); });
  return {};
}

inline bool is_ipv4(const Address& address) {
  return address.local.address.family() == Family::inet;
}

}  // namespace plumbline::testing
