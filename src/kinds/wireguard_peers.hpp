// Looking a peer up among those of a device.

#pragma once

#include "plumbline/kinds/wireguard.hpp"

namespace plumbline::detail {

/// Null when there is none of that key.
[[nodiscard]] const WireGuardPeer* find_peer(const WireGuard& device, const PublicKey& wanted);

}  // namespace plumbline::detail
