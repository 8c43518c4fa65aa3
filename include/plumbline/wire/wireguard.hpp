// WireGuard devices as generic netlink carries them: questions, answers, changes.
//
// Messages are complete but for their type: the number of the family `wireguard` is looked up by
// who sends them. Knows the attributes of include/uapi/linux/wireguard.h and no meaning.

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "plumbline/base/curve_key.hpp"
#include "plumbline/base/endpoint.hpp"
#include "plumbline/base/if_name.hpp"
#include "plumbline/base/ip.hpp"
#include "plumbline/wire/netlink.hpp"

namespace plumbline::wire {

// ---- generic netlink itself ---------------------------------------------------------------------

/// Asks the controller for the number of a family.
[[nodiscard]] Bytes family_query(std::string_view family);
/// Throws Malformed when the answer names none.
[[nodiscard]] std::uint16_t read_family(const Bytes& answer);

// ---- what is there ------------------------------------------------------------------------------

inline constexpr std::string_view wireguard_family = "wireguard";

struct DumpedPeer {
  PublicKey public_key;
  std::optional<SecretKey> preshared_key;
  std::optional<Endpoint> endpoint;
  std::uint16_t keepalive = 0;
  bool heard = false;  ///< something authentic has come from it
  std::vector<Prefix> allowed_ips;
};

struct DumpedTunnel {
  std::optional<SecretKey> private_key;
  std::uint16_t listen_port = 0;
  std::uint32_t fwmark = 0;
  std::vector<DumpedPeer> peers;
};

/// A dump of the one device.
[[nodiscard]] Bytes tunnel_query(const IfName& name);
/// The device that such a question asks for.
[[nodiscard]] std::optional<IfName> tunnel_name(const Bytes& query);
/// A peer whose allowed IPs are spread over several messages is put together. Throws Malformed.
[[nodiscard]] DumpedTunnel read_tunnel(const Bytes& answer);

// ---- changes ------------------------------------------------------------------------------------

/// What is not said stays as it is.
struct PeerChange {
  enum class Kind : std::uint8_t {
    add,     ///< makes the peer where it is not there
    update,  ///< does nothing where it is not there
    remove,
  };

  PublicKey public_key;
  Kind kind = Kind::update;
  std::optional<SecretKey> preshared_key;  ///< all zeros takes it away
  std::optional<Endpoint> endpoint;
  std::optional<std::uint16_t> keepalive;
  std::vector<Prefix> allowed_ips;  ///< added, and taken from whichever peer has them
};

struct TunnelChange {
  std::uint32_t index = 0;
  std::optional<SecretKey> private_key;  ///< all zeros takes it away
  std::optional<std::uint16_t> listen_port;
  std::optional<std::uint32_t> fwmark;
  bool replace_peers = false;
  std::vector<PeerChange> peers;  ///< carried out in this order
};

/// As many messages as it takes: an attribute holds 64 KiB at most. None when nothing is said.
[[nodiscard]] std::vector<Bytes> tunnel_changes(const TunnelChange& change);

}  // namespace plumbline::wire
