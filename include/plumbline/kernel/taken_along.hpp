// A host as the planner imagines it: objects, and what the kernel takes along when one changes.
//
// Knows the kernel's cascades and nothing else: not whose an object is, nor what is wanted. Every
// cascade was measured on Linux 6.18 with ip(8) in a network namespace. Routes of protocol `kernel`
// come and go with addresses; they are only ever taken away here, never added.

#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "plumbline/kernel/networks.hpp"
#include "plumbline/state/step.hpp"

namespace plumbline::kernel {

/// What an object was before the kernel took it along, and what is left of it: nothing, a port
/// without its bridge, an IPv6 route without one of its nexthops or its source.
struct Taken {
  Resource before;
  std::optional<Resource> after = {};
};

class World {
 public:
  explicit World(const State& state);

  /// Carries the step out; returns what the kernel took along, in the order of keys.
  std::vector<Taken> carry_out(const Step& step);
  /// The same without a Step: no `before` is a create, no `after` a remove.
  std::vector<Taken> carry_out(const Resource* before, const Resource* after);
  [[nodiscard]] State state() const;

 private:
  using Routes = std::multimap<Route::Key, Route>;

  static bool is_up(const Link& link) { return link.up.value_or(false); }

  /// A kind that goes with the link it needs, and with nothing else.
  template <class K>
  void put(const K& value);
  void put(const Link& link);
  void put(const WireGuard& device) { tunnels_[key(device)] = device; }
  void put(const Address& address);
  void put(const Route& route);
  void put(const Sysctl& sysctl);
  void put(const Rule& rule) { rules_.emplace(key(rule), rule); }
  void put(const Chain& chain);
  void put(const SharedChain& chain);

  template <class K>
  void take(const K& value);
  void take(const Link& link);
  void take(const WireGuard& device) { tunnels_.erase(key(device)); }
  void take(const Address& address);
  void take(const Route& route);
  void take(const Rule& rule);
  void take(const Sysctl& sysctl);
  void take(const Chain& chain) { chains_.erase(key(chain)); }
  void take(const SharedChain& chain);

  template <class K>
  void change(const K& before, const K& after) {
    take(before);
    put(after);
  }
  void change(const Link& before, const Link& after);
  void change(const Sysctl& before, const Sysctl& after);
  void change(const SharedChain& before, const SharedChain& after);

  void lose(const Resource& before) { taken_.push_back({before}); }
  void unlist(const Link& link);
  Routes::iterator erase(Routes::iterator route);
  void lose_port(const IfName& name);
  void lose_link(const IfName& name);
  void lose_route(Routes::iterator route);
  void drop_nexthops(Routes::iterator route, const IfName& dev);
  void lose_others(const IfName& link, bool goes_down);
  void link_removed(const IfName& name);
  void link_down(const IfName& name);
  void ipv6_disabled(const IfName& name);
  void last_ipv4_gone(const IfName& name);
  void flush_dead(const IfName& dev, Family family, bool host_scope_too);
  void source_gone(const Address& address);
  void secondaries_of(const Address& primary);
  void erase_address(const Address::Key& key);
  [[nodiscard]] bool has_ipv4(const IfName& link) const;
  [[nodiscard]] bool dead(const Nexthop& nexthop, Family family) const;
  [[nodiscard]] std::vector<Address> addresses_of(const IfName& link) const;
  [[nodiscard]] std::vector<Routes::iterator> routes_of(const IfName& dev);

  std::map<Link::Key, Link> links_;
  std::map<WireGuard::Key, WireGuard> tunnels_;
  std::map<Address::Key, Address> addresses_;
  Routes routes_;
  std::multimap<Rule::Key, Rule> rules_;
  std::map<Sysctl::Key, Sysctl> sysctls_;
  std::map<Chain::Key, Chain> chains_;
  std::map<SharedChain::Key, SharedChain> shared_;

  /// Of kinds that are not named here, and by the link that they need.
  std::map<Key, Resource> others_;
  std::map<IfName, std::set<Key>> others_by_link_;

  std::map<IfName, std::set<IfName>> ports_;      ///< by master
  std::map<IfName, std::set<IfName>> laid_over_;  ///< lower_link(), the other way round
  std::map<IfName, std::map<const Route*, Routes::iterator>> routes_by_dev_;
  std::map<IpAddress, std::map<const Route*, Routes::iterator>> routes_by_src_;
  std::map<IfName, std::set<Sysctl::Key>> sysctls_by_link_;
  /// IPv4 addresses of one network of a link, and how many of them are no secondaries.
  struct Neighbours {
    std::set<Address::Key> addresses;
    std::size_t primaries = 0;
  };
  std::map<std::pair<IfName, Prefix>, Neighbours> neighbours_;
  std::map<IpAddress, std::size_t> locals_;  ///< how often each address is there
  Networks networks_;                        ///< of the addresses, and of routes without a gateway
  /// Nexthops that came without a link, which was then looked up.
  std::map<const Route*, std::vector<Nexthop>> as_given_;
  std::set<IfName> without_ipv4_;  ///< lost their last IPv4 address: nexthops through them are dead
  std::vector<Taken> taken_;
};

}  // namespace plumbline::kernel
