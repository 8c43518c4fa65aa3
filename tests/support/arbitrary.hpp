// Random states over a small universe, so that objects meet: for tests of properties.
//
// A wanted state is what a spec could say, expanded and marked, over two physical links `eth0` and
// `eth1` that the host has to have (a namespace under test can give a veth end each of these
// names). Everything a generated spec wants is consistent in itself; what it needs may be missing,
// so that objects are blocked. Names, addresses and tables are few:
//
//   links     br0 br1 (bridges), x0 (bridge, tap or veth end), tap0, veth pairs va-vb and x0-x1
//   networks  10.0.N.0/24, fd00:N::/64; gateways .254 and ::fe
//   routes    10.9.N.0/24, fd99:N::/64 and the default, in main and table 100
//   chains    filter A, B, C; shared FORWARD, INPUT and the foreign DOCKER-USER
//             of bridges: nat A, B, C; shared PREROUTING, POSTROUTING and the foreign THEIRS

#pragma once

#include <rapidcheck.h>

#include <ostream>

#include "plumbline/state/state.hpp"

namespace plumbline {

/// How rapidcheck shows a counterexample: one line for each object, as a spec would say it.
void showValue(const State& state, std::ostream& out);

}  // namespace plumbline

namespace plumbline::testing {

struct Universe {
  bool firewall = true;
  bool ebtables = true;
  bool sysctls = true;
  /// Settings of the physical links themselves; else only what is put on them.
  bool physical_settings = true;
  /// Under 1280 the kernel takes a link's IPv6 addresses away and takes no new ones, which no spec
  /// that load() lets pass asks for.
  std::uint32_t least_mtu = 1200;
};

[[nodiscard]] rc::Gen<State> wanted_states(Universe universe = {});

/// Objects of others', in an order in which they can be made on a host that has the links of
/// `host`: addresses and routes on any link, a port in a bridge, rules, a chain. Some may be in the
/// way of what is wanted, and some cannot be made at all.
[[nodiscard]] rc::Gen<std::vector<Resource>> foreign_objects(const State& host);

/// Every value with our mark.
[[nodiscard]] State marked(State state);

/// The same values in another order.
[[nodiscard]] rc::Gen<State> shuffled(const State& state);

}  // namespace plumbline::testing
