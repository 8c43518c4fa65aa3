// Random requests to a kernel, sensible ones and nonsense: missing masters, gateways without a
// network, duplicates, absent things to be removed, values out of bounds.

#pragma once

#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "plumbline/wire/netlink.hpp"
#include "tests/sim/namespace.hpp"

namespace plumbline::sim {

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : numbers_(seed) {}

  /// 0 to `count` - 1
  [[nodiscard]] std::size_t below(std::size_t count) { return numbers_() % count; }
  [[nodiscard]] bool one_in(std::size_t count) { return below(count) == 0; }
  template <class T>
  [[nodiscard]] T pick(std::initializer_list<T> from) {
    return *(from.begin() + below(from.size()));
  }
  template <class T>
  [[nodiscard]] const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937_64 numbers_;
};

struct Possible {
  bool taps = true;  ///< there is a /dev/net/tun
  bool nf_tables = true;
  bool vlan_filtering = true;  ///< CONFIG_BRIDGE_VLAN_FILTERING
};

/// The next of a sequence, by what `there` has by now.
[[nodiscard]] wire::Request random_request(const Namespace& there, Chance& chance,
                                           const Possible& possible);

// ---- by what they are about ---------------------------------------------------------------------

[[nodiscard]] wire::Request random_link_request(const Namespace& there, Chance& chance,
                                                const Possible& possible);
[[nodiscard]] wire::Request random_address_request(const Namespace& there, Chance& chance);
[[nodiscard]] wire::Request random_route_request(const Namespace& there, Chance& chance);
[[nodiscard]] wire::Request random_rule_request(Chance& chance);
[[nodiscard]] wire::Request random_setting_request(const Namespace& there, Chance& chance);
[[nodiscard]] wire::Request random_nft_request(const Namespace& there, Chance& chance);

/// The index of a link, mostly of one that is there.
[[nodiscard]] int random_index(const Namespace& there, Chance& chance);

}  // namespace plumbline::sim
