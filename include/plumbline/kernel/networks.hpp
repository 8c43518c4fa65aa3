// Which networks are on which links: finds what holds a gateway without looking at every network.
//
// A lookup costs one probe per prefix length in use, however many networks there are.

#pragma once

#include <map>
#include <optional>
#include <utility>

#include "plumbline/base/if_name.hpp"
#include "plumbline/base/ip.hpp"
#include "plumbline/state/state.hpp"

namespace plumbline::kernel {

class Networks {
 public:
  void add(const Prefix& network, const IfName& link) {
    ++counts_[network][link];
    ++lengths_[{network.family(), network.length()}];
  }
  void remove(const Prefix& network, const IfName& link) {
    const auto found = counts_.find(network);
    if (found == counts_.end()) return;
    const auto count = found->second.find(link);
    if (count == found->second.end()) return;
    if (--count->second == 0) found->second.erase(count);
    if (found->second.empty()) counts_.erase(found);
    const auto length = lengths_.find({network.family(), network.length()});
    if (--length->second == 0) lengths_.erase(length);
  }
  /// The link on which the address is reachable directly, among those that `usable` takes; the
  /// longest network wins.
  template <class Usable>
  [[nodiscard]] std::optional<IfName> link_to(const IpAddress& address, Usable&& usable) const {
    for (auto it = lengths_.rbegin(); it != lengths_.rend(); ++it) {
      if (it->first.first != address.family()) continue;
      const auto found = counts_.find(Prefix::masking(address, it->first.second));
      if (found == counts_.end()) continue;
      for (const auto& [link, ignored] : found->second) {
        if (usable(link)) return link;
      }
    }
    return std::nullopt;
  }

 private:
  std::map<Prefix, std::map<IfName, std::size_t>> counts_;
  std::map<std::pair<Family, std::uint8_t>, std::size_t> lengths_;
};

}  // namespace plumbline::kernel
