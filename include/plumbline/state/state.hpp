// The list of kinds, and the types made from it. Adding a kind is one line here.

#pragma once

#include <algorithm>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "plumbline/firewall/model/chain.hpp"
#include "plumbline/kinds/address.hpp"
#include "plumbline/kinds/link.hpp"
#include "plumbline/kinds/neighbour.hpp"
#include "plumbline/kinds/route.hpp"
#include "plumbline/kinds/rule.hpp"
#include "plumbline/kinds/sysctl.hpp"
#include "plumbline/kinds/wireguard.hpp"

namespace plumbline {

template <class... Ks>
struct KindList {
  using Resource = std::variant<Ks...>;
  using Key = std::variant<typename Ks::Key...>;
  using Values = std::tuple<std::vector<Ks>...>;
  template <class F>
  static void for_each(F&& visit) {
    (visit(std::type_identity<Ks>{}), ...);
  }
};

using Kinds =
    KindList<Link, WireGuard, Address, Neighbour, Route, Rule, Sysctl, Chain, SharedChain>;

/// One value of any kind.
using Resource = Kinds::Resource;
/// What identifies one object among all kinds; ordered by kind, then as the kind orders.
using Key = Kinds::Key;

[[nodiscard]] inline Key key_of(const Resource& resource) {
  return std::visit([](const auto& value) -> Key { return key(value); }, resource);
}
[[nodiscard]] std::string format(const Key& key);
[[nodiscard]] std::string_view kind_name(const Key& key);
[[nodiscard]] boost::json::value to_spec(const Resource& resource);
/// Whether it is the array of the spec that values of a kind are elements of.
[[nodiscard]] bool is_section(std::string_view name);

/// Observed and desired alike: for each kind, its values sorted by key.
class State {
 public:
  template <class K>
  [[nodiscard]] std::vector<K>& of() {
    return std::get<std::vector<K>>(values_);
  }
  template <class K>
  [[nodiscard]] const std::vector<K>& of() const {
    return std::get<std::vector<K>>(values_);
  }

  /// The first value of that key, or null. Needs sorted values.
  template <class K>
  [[nodiscard]] const K* find(const typename K::Key& wanted) const {
    const auto& values = of<K>();
    const auto it = std::ranges::lower_bound(values, wanted, std::ranges::less{},
                                             [](const K& value) { return key(value); });
    return it != values.end() && key(*it) == wanted ? &*it : nullptr;
  }
  /// Puts the values of every kind in the order of their keys; equal keys keep their order.
  void sort();
  [[nodiscard]] bool empty() const;

  /// Only observed: the names of the ipsets there are, sorted.
  std::vector<std::string> ipsets;

  bool operator==(const State&) const = default;

 private:
  Kinds::Values values_;
};

}  // namespace plumbline
