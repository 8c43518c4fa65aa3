// The way back from a comparable rule to the bytes of one network namespace.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "plumbline/firewall/bytes/nftables.hpp"

namespace plumbline::firewall {

/// Puts the indexes of this namespace in place of the positions in `sets`. Throws Malformed where a
/// position has no name, and what `set_index` throws.
void write_set_indexes(std::span<std::byte> expressions, const std::vector<std::string>& sets,
                       const SetIndex& set_index);

}  // namespace plumbline::firewall
