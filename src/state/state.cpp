#include "plumbline/state/state.hpp"

#include <boost/json/value.hpp>

namespace plumbline {

std::string format(const Key& key) {
  return std::visit([](const auto& value) { return format(value); }, key);
}

std::string_view kind_name(const Key& key) {
  std::string_view name;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if (std::holds_alternative<typename K::Key>(key)) name = K::kind_name;
  });
  return name;
}

boost::json::value to_spec(const Resource& resource) {
  return std::visit([](const auto& value) { return to_spec(value); }, resource);
}

bool is_section(std::string_view name) {
  bool is = false;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (requires { K::section; }) is = is || name == K::section;
  });
  return is;
}

void State::sort() {
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    std::ranges::stable_sort(of<K>(), std::ranges::less{},
                             [](const K& value) { return key(value); });
  });
}

bool State::empty() const {
  bool empty = true;
  Kinds::for_each([&]<class K>(std::type_identity<K>) { empty = empty && of<K>().empty(); });
  return empty;
}

}  // namespace plumbline
