// How much a spec may ask for.
//
// Not what the kernel can hold: what one pass can look at in a few seconds, so that no file of a
// megabyte keeps a host busy for minutes. Counted before anything is made of it.
// docs/spec-reference.md lists these beside the kernel's own limits, which stand where a kind is
// decoded.

#pragma once

#include <cstddef>

namespace plumbline::spec {

/// Rules of iptables and ebtables, as many as iptables makes of them.
inline constexpr std::size_t most_firewall_rules = 50'000;
/// Policy rules of one family and priority: the kernel walks along them for each that is added
/// (fib_nl_newrule() in net/core/fib_rules.c).
inline constexpr std::size_t most_rules_of_a_priority = 20'000;
/// Interfaces of guests, of all networks together.
inline constexpr std::size_t most_guests = 20'000;
inline constexpr std::size_t most_networks = 4'000;

}  // namespace plumbline::spec
