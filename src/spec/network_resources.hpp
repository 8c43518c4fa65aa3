// The links, tunnels, addresses, routes, rules, sysctls and chains that assigned networks are made
// of.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plumbline/spec/expand.hpp"

namespace plumbline::spec {

/// Adds to `desired`, whose state need not be sorted and carries no marks yet, every resource of
/// the networks: with its place in `origins`, and in `networks` whose it is. What the spec has of
/// the same key is joined (a shared chain: rules of networks stand first), satisfied (an equal
/// value) or an error at the spec's place.
void add_network_resources(const std::vector<AssignedNetwork>& networks, const Facts& facts,
                           Desired& desired, Diagnostics& diagnostics);

/// What wireguard gives a new device (drivers/net/wireguard/device.c, wg_setup()): ETH_DATA_LEN
/// less the most that IPv6, UDP and the message take.
inline constexpr std::uint32_t default_tunnel_mtu = 1420;

/// Shorter prefixes are no networks of the host's but ways to everywhere: a VPN's 0.0.0.0/1 and
/// 128.0.0.0/1 stand for a default route.
inline constexpr std::uint8_t shortest_direct = 8;

/// A network and what its parts have in common.
struct NetworkShape {
  /// The tunnel that guests are routed into.
  struct Tunnel {
    IfName interface;
    TableId table;
    bool fail_closed = true;
    std::optional<std::uint32_t> mtu;  ///< where it is known
  };
  /// A network of the host's that guests reach beside the tunnel.
  struct Direct {
    IfName link;
    Prefix network;

    auto operator<=>(const Direct&) const = default;
  };

  const AssignedNetwork* assigned = nullptr;
  std::string chain;  ///< `PLUMB-841adabb80`
  std::optional<Tunnel> tunnel;
  std::vector<Direct> direct;  ///< sorted; empty without `"localNetworks": "direct"`

  [[nodiscard]] const Network& network() const { return assigned->network; }
  /// Guests' traffic may leave by the tunnel, or to a direct network, and nowhere else.
  [[nodiscard]] bool is_guarded() const { return tunnel && tunnel->fail_closed; }
};

/// Puts the resources of networks beside those that the spec has already.
class NetworkResources {
 public:
  /// In shared chains the rules of all networks stand together line by line, in this order.
  enum class Line : std::uint8_t { to_guests, from_guests, replies, inbound, only };

  /// A rule of a chain and where the spec has it.
  struct PlacedRule {
    std::string text;
    Origin origin;
  };

  NetworkResources(Desired& desired, Diagnostics& diagnostics)
      : desired_(&desired), diagnostics_(&diagnostics) {}

  template <class K>
  void add(K value, const Origin& origin, const IfName& network);
  /// A chain of ours.
  void add_chain(Family family, std::string table, std::string name,
                 const std::vector<PlacedRule>& rules, const Origin& origin, const IfName& network);
  /// A rule at the top of a built-in chain.
  void insert(Family family, std::string table, std::string chain, Line line, std::string rule,
              const Origin& origin, const IfName& network);
  /// Whether the spec, or a network before, says something of it.
  [[nodiscard]] bool is_given(const Key& key) const { return desired_->origins.contains(key); }
  /// What is added for one network is another's as well.
  void note_network(const Key& key, const IfName& network);
  /// After the last insert().
  void join_shared_chains();

 private:
  struct Inserted {
    Line line = Line::only;
    PlacedRule rule;
    IfName network;
  };

  void join(const SharedChain::Key& key, std::vector<Inserted> rules);
  void conflict(const Key& key, const Origin& origin, const IfName& network);

  Desired* desired_;
  Diagnostics* diagnostics_;
  std::map<SharedChain::Key, std::vector<Inserted>> inserted_;
  /// Where the objects of the state stand, of each kind those before `indexed_`: for what is given
  /// again.
  std::map<Key, std::size_t> places_;
  std::map<std::size_t, std::size_t> indexed_;
};

void add_links(const NetworkShape& shape, NetworkResources& resources);
/// The tunnel that we make; networks may share it.
void add_tunnel(const NetworkShape& shape, NetworkResources& resources);
/// The way into the tunnel: its table, and the rules that lead there.
void add_routing(const NetworkShape& shape, NetworkResources& resources);
void add_forwarding(const NetworkShape& shape, NetworkResources& resources);
/// What iptables and ip6tables hold: policies, NAT, and that nothing leaves beside the tunnel.
void add_firewall(const NetworkShape& shape, NetworkResources& resources);
/// Of each TAP, a chain of frames that may come from it, and the way there for all networks.
void add_anti_spoofing(const std::vector<NetworkShape>& shapes, NetworkResources& resources);
void add_tap_guards(const std::vector<NetworkShape>& shapes, NetworkResources& resources);
/// Guests of one network meet by their own MACs, and not by way of the host.
void add_gateway_guard(const NetworkShape& shape, NetworkResources& resources);
/// No packet with IP options passes, to the host or through it.
void add_option_guards(const std::vector<NetworkShape>& shapes, NetworkResources& resources);

}  // namespace plumbline::spec
