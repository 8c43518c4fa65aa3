// Which guest has which address, MAC and TAP: what was, and what shall be.
//
// Pure and deterministic. An assignment is sticky: it is recorded in the alias of its TAP, with a
// copy in the ledger, and comes back here through the Facts.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/spec/facts.hpp"
#include "plumbline/spec/load.hpp"

namespace plumbline::spec {

/// The reference's MAC of a guest's interface, and for `attempt` 1 and on others, for when it is
/// taken.
[[nodiscard]] Mac guest_mac(std::string_view vm, std::string_view interface, unsigned attempt = 0);
/// Likewise the name of its TAP.
[[nodiscard]] IfName tap_name(std::string_view vm, std::string_view interface,
                              unsigned attempt = 0);
/// `PLUMB-` and ten hex digits; of the bridge and its subnet. Chains of a network are named by it
/// and a suffix: `PLUMB-841adabb80-HOST`.
[[nodiscard]] std::string chain_name(const IfName& bridge, const Prefix& subnet);
/// Of the bridge: pinned, as else it would change with its ports.
[[nodiscard]] Mac bridge_mac(const Network& network);
/// That, or the one that it keeps.
[[nodiscard]] Mac mac_of_bridge(const AssignedNetwork& network);

/// What the alias of a TAP holds between our mark and the user's part, without `;`:
/// `svbr0/web-1/eth0,172.30.0.10/24,02:00:00:00:00:10,eth0`.
[[nodiscard]] std::string format(const Assignment& assignment);
/// `tap` is not in the text: it is the name of the link.
[[nodiscard]] std::optional<Assignment> parse_assignment(std::string_view text, const IfName& tap);

[[nodiscard]] Assignment assignment_of(const AssignedNetwork& network,
                                       const AssignedInterface& interface);

[[nodiscard]] std::vector<Assignment> assignments_of(const std::vector<AssignedNetwork>& networks);

/// What the guest's kernel is told: `ip=172.30.0.10::172.30.0.1:255.255.255.0::eth0:off`.
[[nodiscard]] std::string boot_args(const Assignment& assignment);

/// Every network of `spec`, by name, with every interface given what it does not have. What only
/// the host shows to be wrong (a subnet it has a network in, an `existingInterface` that is an
/// uplink), goes to `diagnostics`, and so does whom a value was taken from, as a warning.
[[nodiscard]] std::vector<AssignedNetwork> assign(const Spec& spec, const Facts& facts,
                                                  Diagnostics& diagnostics);

}  // namespace plumbline::spec
