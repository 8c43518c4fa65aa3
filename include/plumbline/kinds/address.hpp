// Addresses of links: ip-address(8).
//
// Only static addresses are wanted. What autoconfiguration or DHCP put there is observed, foreign
// and left alone.

#pragma once

#include "plumbline/kinds/kind.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline {

struct Address {
  static constexpr std::string_view kind_name = "address";
  static constexpr Disruption loss = Disruption::traffic;
  static constexpr Asked asked = Asked::whole;
  static constexpr bool key_says_all = true;
  static constexpr bool is_adoptable = true;
  static constexpr bool may_be_split = true;
  /// IPv4: link, address, length and the peer's network, as __inet_insert_ifa() compares
  /// (net/ipv4/devinet.c). IPv6: link and address only (net/ipv6/addrconf.c).
  struct Key {
    IfName link;
    IpAddress local;
    std::uint8_t length = 0;  ///< 0 for IPv6
    /// Without its host bits; nothing when that is the network of the address itself.
    std::optional<IpAddress> peer;

    auto operator<=>(const Key&) const = default;
  };

  IfName link;
  InterfaceAddress local;
  std::optional<IpAddress> peer;  ///< of a point-to-point link; never wanted
  std::uint8_t protocol = 0;      ///< IFA_PROTO
  bool permanent = true;          ///< valid and preferred for ever

  // ---- only observed, never wanted: complete() takes them over
  std::optional<bool> secondary;   ///< IPv4: the kernel removes it along with its primary
  std::optional<bool> dad_failed;  ///< IPv6: there, but not usable
  bool temporary = false;          ///< IPv6: the kernel made it for privacy (RFC 8981)
  /// Those of IFA_FLAGS that whoever made it chose, and what the kernel does by them lasts; said in
  /// every request, as a REPLACE of an IPv6 address takes away what it does not say.
  std::optional<std::uint32_t> chosen_flags;
  /// IFA_RT_PRIORITY, the metric of the route that the kernel makes for it; 0 for none. Said for
  /// the same reason.
  std::optional<std::uint32_t> route_metric;

  bool operator==(const Address&) const = default;

  static std::vector<wire::Request> queries(const Scope& scope);
  static void decode(const wire::Request& request, const wire::Reply& reply, const LinkNames& links,
                     std::vector<Address>& out);
  /// An element of a link's `addresses`.
  static std::optional<Address> from_spec(const wire::Entry& entry, const IfName& link);
};

[[nodiscard]] Address::Key key(const Address& address);
/// `address br0 10.0.0.1/24`, `address br0 fd00::1`
[[nodiscard]] std::string format(const Address::Key& key);
[[nodiscard]] std::vector<Need> needs(const Address& address);
[[nodiscard]] bool is_marked(const Address& address, const Mark& mark);
[[nodiscard]] constexpr Stage stage(const Address& /*address*/) { return Stage::address; }
[[nodiscard]] Address with_mark(Address address, const Mark& mark);
[[nodiscard]] Address complete(Address want, const Address& have);
/// IPv6 with another length is a replace, as the kernel has one of each address per link; so is
/// IPv4 with another protocol, which kernels before 6.4 do not change.
[[nodiscard]] Transition transition(const Address& have, const Address& want);
[[nodiscard]] std::vector<wire::Request> create(const Address& address, const LinkNames& links);
/// Asks for nothing where `want` is not permanent: what lifetime it had is not known.
[[nodiscard]] std::vector<wire::Request> update(const Address& have, const Address& want,
                                                const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> remove(const Address& address, const LinkNames& links);
/// `"10.0.0.1/24"`
[[nodiscard]] boost::json::value to_spec(const Address& address);

/// The network that it makes directly reachable: behind its peer where it has one.
[[nodiscard]] inline Prefix network_of(const Address& address) {
  return Prefix::masking(address.peer.value_or(address.local.address), address.local.length);
}
template <class To>
void provide(const Address& address, To& to) {
  to.address(address.local.address);
  to.network(address.link, main_table, network_of(address));
}
[[nodiscard]] inline bool goes_on_providing(const Address& have, const Address& after) {
  return network_of(have) == network_of(after);
}
/// A link-local one of a link's own (IFAPROT_KERNEL_LL).
[[nodiscard]] bool comes_by_itself(const Address& address);

static_assert(ResourceKind<Address>);

}  // namespace plumbline
