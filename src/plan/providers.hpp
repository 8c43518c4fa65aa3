// Who provides what an object needs: links, networks with a gateway, source addresses, chains.
//
// A view of one state. Lookups are logarithmic in the number of objects.

#pragma once

#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "plumbline/plan/plan.hpp"

namespace plumbline {

struct Provider {
  Key key;
  /// It is there before and after, whatever else is done.
  bool steady = false;
  /// The link that must be up for it, where that is not steady.
  std::optional<Key> link = {};
};

/// Whether a link is there, and is up, whatever else is done.
struct LinkSteadiness {
  bool there = false;
  bool up = false;
};

class Providers {
 public:
  /// Links first: an address or route of a link that is not up makes nothing reachable.
  void add(const Link& link, LinkSteadiness steady);
  void add(const Address& address, bool steady);
  void add(const Route& route, bool steady);
  void add(const Chain& chain, bool steady);
  template <class K>
  void add(const K&, bool) {}

  /// The provider to rely on: a steady one if there is any, else the first by key. Nothing: the
  /// need is not met.
  [[nodiscard]] std::optional<Provider> find(const Need& need) const;

 private:
  using Slot = std::uint32_t;  ///< 0 for the tables every lookup sees, else a table's number
  using Lengths = std::map<std::pair<Slot, std::optional<IfName>>, std::set<std::uint8_t>>;

  [[nodiscard]] std::optional<Provider> find_in(const NeedsLink& need) const;
  [[nodiscard]] std::optional<Provider> find_in(const NeedsGateway& need) const;
  [[nodiscard]] std::optional<Provider> find_in(const NeedsAddress& need) const;
  [[nodiscard]] std::optional<Provider> find_in(const NeedsChain& need) const;
  /// No object of ours is an ipset: only settle_blocked() asks whether there is one.
  [[nodiscard]] std::optional<Provider> find_in(const NeedsSet&) const { return std::nullopt; }
  void add_network(Slot slot, const IfName& dev, const Prefix& network, Provider provider);
  [[nodiscard]] bool is_up(const IfName& name) const;

  struct LinkProvider {
    Key key;
    bool up = false;
    LinkSteadiness steady;
  };
  std::map<IfName, LinkProvider> links_;
  std::map<std::tuple<Slot, std::optional<IfName>, Prefix>, Provider> networks_;
  Lengths lengths_;
  std::map<IpAddress, Provider> addresses_;
  std::map<Chain::Key, Provider> chains_;
};

/// A kind's own needs, and the user-defined chains that a chain's rules jump to. `known`: the
/// chains that are, or shall be, there; any other target is one of iptables itself.
[[nodiscard]] std::vector<Need> all_needs(const Resource& resource,
                                          const std::set<Chain::Key>& known);

}  // namespace plumbline
