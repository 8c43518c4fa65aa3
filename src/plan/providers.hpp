// Who provides what an object needs: links, networks with a gateway, source addresses, chains.
//
// A view of one state. Lookups are logarithmic in the number of objects.

#pragma once

#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "plumbline/state/state.hpp"

namespace plumbline::plan {

struct Provider {
  Key key;
  /// It is there before and after, whatever else is done.
  bool steady = false;
  /// The link that must be up for it, where that is not steady.
  std::optional<Key> link = {};
};

/// Whether an object is there, and can be used, whatever else is done.
struct Steadiness {
  bool there = false;
  bool up = false;
};

class Providers {
 public:
  /// Links first: what is on a link that is not up makes nothing reachable.
  template <class K>
  void add(const K& value, Steadiness steady) {
    if constexpr (Provides<K>) {
      Offers<K> offers{*this, value, steady};
      provide(value, offers);
    }
  }

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
  void add_address(const IpAddress& address, const Provider& provider);
  void add_network(TableId table, const IfName& dev, const Prefix& network, Provider provider);
  void add_chain(const NeedsChain& chain, const Provider& provider);
  [[nodiscard]] bool is_up(const IfName& name) const;

  struct LinkProvider {
    Key key;
    bool up = false;
    Steadiness steady;
  };
  /// What one object says that it provides.
  template <class K>
  struct Offers {
    Providers& providers;
    const K& value;
    Steadiness steady;

    [[nodiscard]] Provider provider() const { return {key(value), steady.there}; }
    void link(const IfName& name, bool up) { providers.links_[name] = {key(value), up, steady}; }
    void address(const IpAddress& address) { providers.add_address(address, provider()); }
    void network(const IfName& dev, TableId table, const Prefix& network) {
      if (providers.is_up(dev)) providers.add_network(table, dev, network, provider());
    }
    void chain(const NeedsChain& chain) { providers.add_chain(chain, provider()); }
  };
  std::map<IfName, LinkProvider> links_;
  std::map<std::tuple<Slot, std::optional<IfName>, Prefix>, Provider> networks_;
  Lengths lengths_;
  std::map<IpAddress, Provider> addresses_;
  std::map<NeedsChain, Provider> chains_;
};

/// Takes the names of chains out of what is provided.
struct ChainsProvided {
  void link(const IfName& /*name*/, bool /*up*/) {}
  void address(const IpAddress& /*address*/) {}
  void network(const IfName& /*dev*/, TableId /*table*/, const Prefix& /*network*/) {}
  void chain(NeedsChain chain) { names.insert(std::move(chain)); }

  ChainNames names;
};

/// All needs of an object, those among them that only the names of chains tell. `known`: the chains
/// that are, or shall be, there.
[[nodiscard]] std::vector<Need> all_needs(const Resource& resource, const ChainNames& known);

}  // namespace plumbline::plan
