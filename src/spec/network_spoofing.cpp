// What may come from a guest's TAP: frames with its own addresses, and to its bridge only.

#include <map>
#include <set>

#include "network_resources.hpp"
#include "plumbline/kinds/link_group.hpp"
#include "tap_dispatch.hpp"

namespace plumbline::spec {

namespace {

using Line = NetworkResources::Line;
using PlacedRule = NetworkResources::PlacedRule;

constexpr const char* frames = "nat";
constexpr const char* from_ports = "PREROUTING";

/// Where a TAP is from.
struct Place {
  Origin origin;
  IfName network;
};
using Places = std::map<IfName, Place>;

std::vector<PlacedRule> own_frames(const AssignedInterface& interface, const Network& network) {
  const std::string mac = format(interface.mac);
  const std::string ip = format(interface.ip);
  const std::string elsewhere = " -d ! 01:80:c2:00:00:00/ff:ff:ff:ff:ff:f0";
  const std::string arp = "-p ARP --arp-mac-src " + mac + " --arp-ip-src ";
  std::vector<PlacedRule> rules;
  const auto add = [&](std::string rule) { rules.push_back({std::move(rule), interface.origin}); };
  add("-s ! " + mac + " -j DROP");
  add("-p IPv4" + elsewhere + " --ip-src " + ip + " -j RETURN");
  add(arp + ip + " -j RETURN");
  add(arp + "0.0.0.0 --arp-op Request -j RETURN");
  if (network.ipv6 == GuestIpv6::ignore) add("-p IPv6" + elsewhere + " -j RETURN");
  add("-j DROP");
  return rules;
}

std::set<IfName> networks_of(const TapJump& jump, const Places& places) {
  std::set<IfName> networks;
  for (const IfName& tap : jump.taps) networks.insert(places.at(tap).network);
  return networks;
}

std::string rule_of(const TapJump& jump) { return "-i " + jump.interface + " -j " + jump.chain; }

void add_root(const TapFork& fork, const Places& places, NetworkResources& resources) {
  for (const TapJump& jump : fork.jumps) {
    const Place& first = places.at(jump.taps.front());
    resources.insert(Family::bridge, frames, from_ports, Line::only, rule_of(jump), first.origin,
                     first.network);
    for (const IfName& network : networks_of(jump, places)) {
      resources.note_network(SharedChain::Key{Family::bridge, frames, from_ports}, network);
    }
  }
}

void add_fork(const TapFork& fork, const Places& places, NetworkResources& resources) {
  std::vector<PlacedRule> rules;
  std::set<IfName> networks;
  for (const TapJump& jump : fork.jumps) {
    rules.push_back({rule_of(jump), places.at(jump.taps.front()).origin});
    networks.merge(networks_of(jump, places));
  }
  resources.add_chain(Family::bridge, frames, fork.chain, rules, rules.front().origin,
                      *networks.begin());
  for (const IfName& network : networks) {
    resources.note_network(Chain::Key{Family::bridge, frames, fork.chain}, network);
  }
}

}  // namespace

/// No packet, but of a frame to 01:80:c2:00:00:0X: `ld [-0x200000]` reads from the Ethernet header.
///   ld M[0]; jeq #0x0180c200; ldh M[4]; and #0xfff0; jeq #0; ret #1, or else ret #0
constexpr const char* link_local_frame =
    "-m pkttype --pkt-type multicast -m bpf --bytecode \"7,32 0 0 4292870144,21 0 3 25215488,"
    "40 0 0 4292870148,84 0 0 65520,21 1 0 0,6 0 0 0,6 0 0 1\" -j DROP";

/// An IPv4 header of more than 20 bytes: `ldb [0]; and #15; jgt #5, ret #1, or else ret #0`.
constexpr const char* with_ip_options =
    " -m bpf --bytecode \"5,48 0 0 0,84 0 0 15,37 0 1 5,6 0 0 1,6 0 0 0\" -j DROP";

/// What a TAP gives the host itself, past its bridge and all that is said of that: everything, when
/// it is in no bridge; and frames to 01:80:c2:00:00:0X, which a bridge hands on as the port's own,
/// those to :0E by no hook at all (br_handle_frame() in net/bridge/br_input.c). So it is dropped as
/// what it is then, a packet that came in by the TAP, which its group tells, and a packet to such
/// an address, which nobody sends, whatever became of the group. ARP is no packet: a guest's TAP
/// does not speak it (link_requests.cpp).
void add_tap_guards(const std::vector<NetworkShape>& shapes, NetworkResources& resources) {
  if (shapes.empty()) return;
  constexpr const char* of_taps = "-m devgroup --src-group 0x504c4d40/0xffffffe0 -j DROP";
  static_assert((guest_group & guest_group_mask) == 0x504c4d40 && guest_group_mask == 0xffffffe0);
  const Network& first = shapes.front().network();
  for (const Family family : {Family::inet, Family::inet6}) {
    const SharedChain::Key chain{family, "raw", "PREROUTING"};
    for (const char* const rule : {of_taps, link_local_frame}) {
      resources.insert(chain.family, chain.table, chain.name, Line::only, rule, first.origin,
                       first.bridge);
    }
    for (const NetworkShape& shape : shapes) resources.note_network(chain, shape.network().bridge);
  }
}

/// The kernel acts on IP options before it asks any later hook. An option that is broken, behind a
/// source route, is answered with an ICMP error and the beginning of the packet, to whom that route
/// names (icmp_send() in net/ipv4/icmp.c): a way out past every policy. A router alert hands the
/// packet to sockets of the host that it would forward (ip_call_ra_chain() in net/ipv4/ip_input.c).
void add_option_guards(const std::vector<NetworkShape>& shapes, NetworkResources& resources) {
  for (const NetworkShape& shape : shapes) {
    const Network& network = shape.network();
    resources.insert(Family::inet, "raw", "PREROUTING", Line::only,
                     "-i " + format(network.bridge) + with_ip_options, network.origin,
                     network.bridge);
  }
}

/// By way of the gateway each packet would begin a flow, make an entry in the table of neighbours,
/// as many as the subnet has addresses, and an ICMP redirect. What is routed is addressed to the
/// host (ip_rcv_core() in net/ipv4/ip_input.c): to the bridge's MAC, or to the TAP's own, which its
/// holder may set to any.
void add_gateway_guard(const NetworkShape& shape, NetworkResources& resources) {
  const Network& network = shape.network();
  const std::string chain = shape.chain + "-GW";
  const std::string subnet = format(network.subnet);
  const auto insert = [&](const std::string& which) {
    resources.insert(Family::bridge, frames, from_ports, Line::only,
                     "-p IPv4 " + which + " --ip-dst " + subnet + " -j " + chain, network.origin,
                     network.bridge);
  };
  insert("--pkttype-type host --ip-src " + subnet);
  if (!network.anti_spoofing) insert("-d " + format(mac_of_bridge(*shape.assigned)));
  resources.add_chain(
      Family::bridge, frames, chain,
      {{"-p IPv4 --ip-dst " + format(shape.assigned->gateway) + " -j RETURN", network.origin},
       {"-j DROP", network.origin}},
      network.origin, network.bridge);
}

/// The forwarding database learns behind this hook, so that nothing a guest says about another's
/// address gets there.
void add_anti_spoofing(const std::vector<NetworkShape>& shapes, NetworkResources& resources) {
  Places places;
  std::vector<IfName> taps;
  for (const NetworkShape& shape : shapes) {
    const Network& network = shape.network();
    if (!network.anti_spoofing) continue;
    for (const AssignedInterface& interface : shape.assigned->interfaces) {
      resources.add_chain(Family::bridge, frames, "PLUMB-" + format(interface.tap),
                          own_frames(interface, network), interface.origin, network.bridge);
      places.emplace(interface.tap, Place{interface.origin, network.bridge});
      taps.push_back(interface.tap);
    }
  }
  for (const TapFork& fork : tap_dispatch(std::move(taps))) {
    if (fork.chain.empty()) {
      add_root(fork, places, resources);
    } else {
      add_fork(fork, places, resources);
    }
  }
}

}  // namespace plumbline::spec
