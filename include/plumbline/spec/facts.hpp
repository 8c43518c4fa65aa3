// What only the host can tell and an expansion depends on.
//
// A value, compared as a whole: a saved plan holds only as long as its facts do.

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plumbline/state/state.hpp"

namespace plumbline::spec {

/// What a guest's interface had: sticky.
struct Assignment {
  IfName network;
  std::string vm;
  std::string interface;
  IfName tap;
  InterfaceAddress ip;  ///< with the length of the subnet it was given in
  Mac mac;
  std::string guest_interface;  ///< its name in the guest; never what decides anything

  auto operator<=>(const Assignment&) const = default;
};

/// A network that the host reaches through a link.
struct HostNetwork {
  Prefix network;
  IfName link;
  bool connected = false;  ///< by an address of the host, not by a route

  auto operator<=>(const HostNetwork&) const = default;
};

struct HostLink {
  IfName name;
  LinkKind kind = LinkKind::physical;
  std::uint32_t mtu = 0;

  auto operator<=>(const HostLink&) const = default;
};

/// An IPv4 default route.
struct HostDefault {
  TableId table;
  std::uint32_t metric = 0;
  RouteType type = RouteType::unicast;
  std::vector<IfName> links;  ///< sorted

  auto operator<=>(const HostDefault&) const = default;
};

/// But for the assignments and kept MACs nothing in here is ours: what is ours is in the spec, and
/// the facts must be the same before and after what follows from them is applied. All IPv4, all
/// sorted.
struct Facts {
  std::vector<Assignment> assignments;  ///< of the TAPs that are there, else of the ledger
  std::vector<HostLink> links;          ///< without our mark
  std::vector<HostNetwork> networks;    ///< of addresses, and routes of the main table, not default
  std::vector<HostDefault> defaults;    ///< of every table
  /// Of adopted bridges; these too are ours.
  std::vector<std::pair<IfName, Mac>> kept_macs;

  bool operator==(const Facts&) const = default;
};

/// `copy` is the ledger's, used for TAPs that are not there.
[[nodiscard]] Facts facts_of(const State& have, const std::vector<Assignment>& copy,
                             const Mark& mark);

/// A guest's TAP whose alias and group somebody set is known by its place: of the name that the
/// ledger's copy has, and a port of its network's bridge, which is ours. It counts as ours again,
/// with its mark to be finished; else the guest that sends by it would go on without its guards.
void know_by_place(State& have, const std::vector<Assignment>& copy, const Mark& mark);

/// The network whose guest's TAP it is; nothing of all else.
[[nodiscard]] std::optional<IfName> network_of_guest(const Resource& tap);

}  // namespace plumbline::spec
