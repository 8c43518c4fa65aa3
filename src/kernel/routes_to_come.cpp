#include "routes_to_come.hpp"

#include <linux/if_addr.h>

#include <vector>

#include "plumbline/kernel/networks.hpp"

namespace plumbline::kernel {

namespace {

bool is_loopback(const IfName& name) { return name.view() == "lo"; }

class RoutesToCome {
 public:
  RoutesToCome(const State& have, const State& want, const Mark& mark)
      : have_(have), want_(want), mark_(mark) {}

  std::map<Route::Key, Address> run() {
    for (const Address& address : want_.of<Address>()) add(address);
    for (const Address& address : have_.of<Address>()) {
      if (!is_marked(address, mark_)) add(address);
    }
    return std::move(routes_);
  }

 private:
  void add(const Address& address) {
    const Link::Key where{address.link};
    const Link* const have = have_.find<Link>(where);
    const Link* const want = want_.find<Link>(where);
    const bool is_up = have != nullptr && have->up == true;
    const bool comes_up = want != nullptr && want->up ? *want->up : is_up;
    if (!comes_up || is_in_vrf(have)) return;
    const bool is_there = have_.find<Address>(key(address)) != nullptr;
    if (is_up && is_there) return;
    if (address.local.address.family() == Family::inet) {
      add_ipv4(address);
    } else {
      put(address, main_table, network_of(address), ipv6_metric);
    }
  }

  /// A VRF has a table of its own (l3mdev_fib_table() in net/l3mdev/l3mdev.c).
  [[nodiscard]] bool is_in_vrf(const Link* link) const {
    if (link == nullptr || !link->master) return false;
    const Link* const master = have_.find<Link>(Link::Key{*link->master});
    return master != nullptr && master->kind == LinkKind::vrf;
  }

  /// fib_add_ifaddr() in net/ipv4/fib_frontend.c
  void add_ipv4(const Address& address) {
    constexpr std::uint8_t whole = 32;
    const Prefix network = network_of(address);
    put(address, local_table, Prefix::masking(address.local.address, whole), 0);
    if (network.length() == whole) return;
    put(address, is_loopback(address.link) ? local_table : main_table, network,
        address.route_metric.value_or(0));
    if (network.length() < whole - 1) put(address, local_table, broadcast_of(network), 0);
  }

  static Prefix broadcast_of(const Prefix& network) {
    const auto first = network.address().bytes();
    std::vector<std::byte> bytes(first.begin(), first.end());
    for (unsigned bit = network.length(); bit < 8 * bytes.size(); ++bit) {
      bytes[bit / 8] |= std::byte{0x80} >> (bit % 8);
    }
    return Prefix::masking(*IpAddress::from_bytes(bytes), UINT8_MAX);
  }

  void put(const Address& address, TableId table, const Prefix& to, std::uint32_t metric) {
    const bool is_network = to == network_of(address);
    if (is_network && (address.chosen_flags.value_or(0) & IFA_F_NOPREFIXROUTE) != 0) return;
    routes_.try_emplace(Route::Key{to.family(), table, to, metric, 0}, address);
  }

  /// IP6_RT_PRIO_ADDRCONF in include/net/ip6_route.h
  static constexpr std::uint32_t ipv6_metric = 256;

  const State& have_;
  const State& want_;
  const Mark& mark_;
  std::map<Route::Key, Address> routes_;
};

}  // namespace

std::map<Route::Key, Address> routes_to_come(const State& have, const State& want,
                                             const Mark& mark) {
  return RoutesToCome(have, want, mark).run();
}

/// inetdev_event() in net/ipv4/devinet.c, when no IPv4 address is there; init_loopback() in
/// net/ipv6/addrconf.c.
bool comes_with_loopback(const State& have, const State& want, const Address& address) {
  if (!is_loopback(address.link)) return false;
  const Link* const is = have.find<Link>(Link::Key{address.link});
  const Link* const link = want.find<Link>(Link::Key{address.link});
  if (is == nullptr || is->up != false || link == nullptr || link->up != true) return false;
  const InterfaceAddress& local = address.local;
  return local == InterfaceAddress::parse("127.0.0.1/8") ||
         local == InterfaceAddress::parse("::1/128");
}

}  // namespace plumbline::kernel
