// Entries of `networks`, decoded. What several of them say together is in network_check.hpp.

#pragma once

#include <optional>

#include "plumbline/base/file_reader.hpp"
#include "plumbline/spec/network.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::spec {

/// What decoders of networks share.
struct NetworkReading {
  FileReader& files;
  Diagnostics& diagnostics;
};

/// A member of `networks`: the key is the bridge. Nothing when the bridge or the subnet cannot be
/// used. Faults go to the entry's diagnostics, which are those of `reading`.
[[nodiscard]] std::optional<Network> decode_network(const wire::Entry& entry,
                                                    const NetworkReading& reading);

// ---- its parts

[[nodiscard]] NetworkFirewall decode_firewall(const wire::Entry& entry,
                                              const NetworkReading& reading);
[[nodiscard]] std::optional<NetworkTunnel> decode_tunnel(const wire::Entry& entry,
                                                         const NetworkReading& reading);
/// `subnet` is nothing when it is not known.
[[nodiscard]] std::vector<Guest> decode_vms(const wire::Entry& entry,
                                            const std::optional<Prefix>& subnet);

}  // namespace plumbline::spec
