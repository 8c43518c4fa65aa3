// What makes a link of kind `wireguard` a tunnel: its key, port, mark and peers. wg(8).
//
// The link itself, its addresses and its routes are kinds of their own. A device of ours is ours
// with every peer. Keys are compared, sent and put back, and never shown.

#pragma once

#include <functional>

#include "plumbline/base/curve_key.hpp"
#include "plumbline/base/endpoint.hpp"
#include "plumbline/kinds/kind.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline {

struct WireGuardPeer {
  PublicKey public_key;
  std::optional<SecretKey> preshared_key;
  /// Wanted side: nothing leaves it to the peer, which calls us.
  std::optional<Endpoint> endpoint;
  std::uint16_t keepalive = 0;      ///< seconds; 0 is off
  std::vector<Prefix> allowed_ips;  ///< sorted, each once

  /// Only observed, complete() takes it over: something authentic has come from the peer, so it may
  /// have told us of another endpoint.
  bool heard = false;
  /// Only wanted: the spec said another endpoint before, so even one that roamed is set anew.
  bool endpoint_is_new = false;

  bool operator==(const WireGuardPeer&) const = default;
};

struct WireGuard {
  static constexpr std::string_view kind_name = "wireguard";
  static constexpr Disruption loss = Disruption::traffic;
  static constexpr Asked asked = Asked::by_name;
  static constexpr std::string_view why_not_adopted = "is adopted along with its link: name that";
  struct Key {
    IfName name;

    auto operator<=>(const Key&) const = default;
  };

  IfName name;
  std::optional<SecretKey> private_key;      ///< clamped; always there on the wanted side
  std::optional<std::uint16_t> listen_port;  ///< nothing: whatever the kernel chose
  std::uint32_t fwmark = 0;                  ///< 0 is off
  std::vector<WireGuardPeer> peers;          ///< sorted by key, each once

  /// Its link is ours. Observed by the engine, as the device itself says nothing of it.
  bool marked = false;

  bool operator==(const WireGuard&) const = default;

  /// Each of the scope's.
  static std::vector<wire::Request> queries(const Scope& scope);
  /// A device that is gone by now gives no value; any other error throws.
  static void decode(const wire::Request& request, const wire::Reply& reply, const LinkNames& links,
                     std::vector<WireGuard>& out);

  /// The text of the file that a member names, or nothing when that was reported.
  using ReadKeyFile = std::function<std::optional<std::string>(const wire::Entry& path)>;
  /// The member `wireguard` of the link of that name.
  static std::optional<WireGuard> from_spec(const wire::Entry& entry, const IfName& name,
                                            const ReadKeyFile& read);
};

/// Puts allowed IPs and peers in order. Reports what one device cannot be: a peer that is the
/// device itself, a peer or an allowed IP given twice; in words, or an empty text.
[[nodiscard]] std::string settle(WireGuard& device);

[[nodiscard]] WireGuard::Key key(const WireGuard& device);
/// `wireguard wg0`
[[nodiscard]] std::string format(const WireGuard::Key& key);
[[nodiscard]] std::vector<Need> needs(const WireGuard& device);
[[nodiscard]] bool is_marked(const WireGuard& device, const Mark& mark);
[[nodiscard]] constexpr Stage stage(const WireGuard& /*device*/) { return Stage::tunnel; }
[[nodiscard]] WireGuard with_mark(WireGuard device, const Mark& mark);
/// An endpoint that a peer was heard from is no drift, whatever the spec says.
[[nodiscard]] WireGuard complete(WireGuard want, const WireGuard& have);
[[nodiscard]] Transition transition(const WireGuard& have, const WireGuard& want);
/// Of a device that is new and therefore empty.
[[nodiscard]] std::vector<wire::Request> create(const WireGuard& device, const LinkNames& links);
/// Only what changes is said, so sessions go on. An allowed IP that moves is never without a peer.
[[nodiscard]] std::vector<wire::Request> update(const WireGuard& have, const WireGuard& want,
                                                const LinkNames& links);
/// Leaves a device without key and peers.
[[nodiscard]] std::vector<wire::Request> remove(const WireGuard& device, const LinkNames& links);
/// With the public key, and fingerprints for the others.
[[nodiscard]] boost::json::value to_spec(const WireGuard& device);

/// What a spec's endpoint of a peer is remembered by.
[[nodiscard]] std::string endpoint_key(const WireGuard& device, const WireGuardPeer& peer);

static_assert(ResourceKind<WireGuard>);

}  // namespace plumbline
