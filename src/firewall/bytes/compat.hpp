// NFTA_RULE_COMPAT: the protocol that extensions of x_tables are checked against.
//
// iptables sends it, the kernel reads it when the rule is made and never tells it again
// (nf_tables_fill_rule_info() in net/netfilter/nf_tables_api.c): it has to be found among the
// expressions, where the same protocol is compared.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "plumbline/base/family.hpp"

namespace plumbline::firewall {

struct Compat {
  std::uint32_t protocol = 0;  ///< of IP; of a bridge the two bytes of the frame, in host order
  bool inverted = false;

  bool operator==(const Compat&) const = default;
};

/// Nothing for a rule that has no extension. Throws Malformed.
[[nodiscard]] std::optional<Compat> compat_of(Family family,
                                              std::span<const std::byte> expressions);

}  // namespace plumbline::firewall
