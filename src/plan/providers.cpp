#include "providers.hpp"

#include <algorithm>

namespace plumbline::plan {

namespace {

/// fib_check_nh() looks the gateway up in the route's own table, then as any packet: of the tables
/// that a rule may lead to, only the kernel's own three are taken for granted.
std::uint32_t slot_of(TableId table) {
  const bool everywhere = table == main_table || table == local_table || table == default_table;
  return everywhere ? 0 : table.number;
}

template <class Map, class Where>
void offer(Map& map, const Where& where, const Provider& provider) {
  const auto [found, added] = map.emplace(where, provider);
  if (added) return;
  Provider& best = found->second;
  if (provider.steady != best.steady ? provider.steady : provider.key < best.key) best = provider;
}

template <class Map, class Where>
std::optional<Provider> lookup(const Map& map, const Where& where) {
  const auto found = map.find(where);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

}  // namespace

void Providers::add_address(const IpAddress& address, const Provider& provider) {
  offer(addresses_, address, provider);
}

void Providers::add_chain(const NeedsChain& chain, const Provider& provider) {
  offer(chains_, chain, provider);
}

void Providers::add_network(TableId table, const IfName& dev, const Prefix& network,
                            Provider provider) {
  const Slot slot = slot_of(table);
  const LinkProvider& link = links_.at(dev);
  if (!link.steady.up) {
    provider.link = link.key;
    provider.steady = false;
  }
  for (const std::optional<IfName>& at : {std::optional(dev), std::optional<IfName>()}) {
    offer(networks_, std::tuple(slot, at, network), provider);
    lengths_[{slot, at}].insert(network.length());
  }
}

bool Providers::is_up(const IfName& name) const {
  const auto found = links_.find(name);
  return found != links_.end() && found->second.up;
}

std::optional<Provider> Providers::find(const Need& need) const {
  return std::visit([&](const auto& value) { return find_in(value); }, need);
}

std::optional<Provider> Providers::find_in(const NeedsLink& need) const {
  const auto found = links_.find(need.name);
  if (found == links_.end() || (need.up && !found->second.up)) return std::nullopt;
  const LinkProvider& link = found->second;
  return Provider{link.key, need.up ? link.steady.up : link.steady.there};
}

std::optional<Provider> Providers::find_in(const NeedsGateway& need) const {
  if (need.dev && is_link_local(need.via)) return find_in(NeedsLink{*need.dev, true});
  std::optional<Provider> best;
  for (const Slot slot : {Slot{0}, Slot{slot_of(need.table)}}) {
    const auto lengths = lengths_.find({slot, need.dev});
    if (lengths == lengths_.end()) continue;
    for (const std::uint8_t length : lengths->second) {
      if (length > address_bits(need.via.family())) continue;
      const auto found =
          lookup(networks_, std::tuple(slot, need.dev, Prefix::masking(need.via, length)));
      if (!found) continue;
      const bool better =
          !best || (found->steady != best->steady ? found->steady : found->key < best->key);
      if (better) best = found;
    }
  }
  return best;
}

std::optional<Provider> Providers::find_in(const NeedsAddress& need) const {
  return lookup(addresses_, need.address);
}

std::optional<Provider> Providers::find_in(const NeedsChain& need) const {
  return lookup(chains_, need);
}

std::vector<Need> all_needs(const Resource& resource, const ChainNames& known) {
  std::set<Need> all;
  std::visit(
      [&](const auto& value) {
        for (Need& need : needs(value)) all.insert(std::move(need));
        if constexpr (requires { needs_among(value, known, all); }) needs_among(value, known, all);
      },
      resource);
  return {all.begin(), all.end()};
}

}  // namespace plumbline::plan
