#include "underlay.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "link_stack.hpp"
#include "quoted.hpp"
#include "subnet_index.hpp"

namespace plumbline::spec {

namespace {

using wire::Entry;

class Underlays {
 public:
  explicit Underlays(const State& state) {
    for (const Address& address : state.of<Address>()) {
      ways_.add(address.local.network(), {address.link, address.local.network().length()});
    }
    for (const Route& route : state.of<Route>()) {
      if (route.table != main_table || route.type != RouteType::unicast) continue;
      for (const Nexthop& nexthop : route.nexthops) {
        if (nexthop.dev && route.to.length() != 0)
          ways_.add(route.to, {*nexthop.dev, route.to.length()});
      }
    }
    for (const Link& link : state.of<Link>()) {
      if (link.master) above_[link.name].push_back(*link.master);
      if (const auto lower = lower_link(link)) above_[*lower].push_back(link.name);
    }
  }

  void check(const Entry& place, const IfName& tunnel, const IpAddress& to, Code code) const {
    if (place.is_full()) return;
    const Way* best = nullptr;
    const std::set<IfName> own = what_stands_on(tunnel);
    // The longest wins, and another link where two are equal.
    static_cast<void>(
        ways_.find(Prefix::masking(to, UINT8_MAX), [&](const Prefix&, const Way& way) {
          const bool longer = best == nullptr || way.length > best->length;
          if (longer || (way.length == best->length && !own.contains(way.link))) best = &way;
          return false;
        }));
    if (best == nullptr || !own.contains(best->link)) return;
    place.error(code, "the packets of " + quoted(tunnel) + " to " + format(to) +
                          " would go into it themselves, as that is in the network of " +
                          quoted(best->link) + ": give an address outside of the tunnel");
  }

 private:
  struct Way {
    IfName link;
    std::uint8_t length = 0;
  };

  [[nodiscard]] std::set<IfName> what_stands_on(const IfName& tunnel) const {
    std::set<IfName> found{tunnel};
    std::vector<IfName> open{tunnel};
    for (std::size_t height = 1; height < most_links_in_a_stack && !open.empty(); ++height) {
      std::vector<IfName> next;
      for (const IfName& name : open) {
        const auto above = above_.find(name);
        if (above == above_.end()) continue;
        for (const IfName& one : above->second) {
          if (found.insert(one).second) next.push_back(one);
        }
      }
      open = std::move(next);
    }
    return found;
  }

  SubnetIndex<Way> ways_;
  std::map<IfName, std::vector<IfName>> above_;
};

void check_vxlan(const Underlays& underlays, const Entry& entry, const Link& link) {
  const auto options = entry.find("vxlan");
  const auto remote = options ? options->find("remote") : std::nullopt;
  if (!remote || !link.vxlan || link.vxlan->device || !link.vxlan->remote) return;
  underlays.check(*remote, link.name, *link.vxlan->remote, Code::invalid_link);
}

void check_peers(const Underlays& underlays, const Entry& entry, const WireGuard& device) {
  const auto options = entry.find("wireguard");
  const auto peers = options ? options->find("peers") : std::nullopt;
  if (!peers || device.fwmark != 0 || peers->node().get<wire::Object>() == nullptr) return;
  peers->for_each_member([&](const Entry& peer) {
    const auto place = peer.find("endpoint");
    const auto* const text = place ? place->node().get<std::string>() : nullptr;
    const auto endpoint = text != nullptr ? Endpoint::parse(*text) : std::nullopt;
    if (endpoint) {
      underlays.check(*place, device.name, endpoint->address, Code::invalid_wireguard_config);
    }
  });
}

}  // namespace

void check_underlays(const Entry& root, const State& state) {
  const auto links = root.find("links");
  if (!links || links->node().get<wire::Object>() == nullptr || !state.of<Rule>().empty()) return;
  const Underlays underlays(state);
  links->for_each_member([&](const Entry& entry) {
    const auto name = IfName::parse(entry.key());
    const Link* const link = name ? state.find<Link>(Link::Key{*name}) : nullptr;
    if (link == nullptr) return;
    if (link->vxlan) check_vxlan(underlays, entry, *link);
    const WireGuard* const device = state.find<WireGuard>(WireGuard::Key{*name});
    if (device != nullptr) check_peers(underlays, entry, *device);
  });
}

}  // namespace plumbline::spec
