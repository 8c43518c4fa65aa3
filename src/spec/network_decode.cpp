#include "network_decode.hpp"

#include "ipv4.hpp"
#include "network_words.hpp"

namespace plumbline::spec {

namespace {

using wire::Entry;

constexpr std::string_view default_subnet = "172.30.0.0/24";

std::optional<Prefix> subnet_of(const Entry& network) {
  const auto entry = network.find("subnet");
  if (!entry) return Prefix::parse(default_subnet);
  const auto text = entry->string();
  if (!text) return std::nullopt;
  const auto inside = InterfaceAddress::parse(*text);
  if (!inside || inside->address.family() != Family::inet || inside->length < 1 ||
      inside->length > 30) {
    entry->error(Code::invalid_subnet,
                 "expected an IPv4 prefix of length 1 to 30, not '" + *text + "'");
    return std::nullopt;
  }
  for (const std::string_view reserved : {"0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3"}) {
    if (!overlap(inside->network(), *Prefix::parse(reserved))) continue;
    entry->error(Code::invalid_subnet, "the subnet " + format(inside->network()) + " overlaps " +
                                           std::string(reserved) + ", which no guest can use");
    return std::nullopt;
  }
  return inside->network();
}

void read_uplink(const Entry& entry, Network& network) {
  const auto uplink = entry.find("uplink");
  network.uplink_origin = uplink ? uplink->origin() : entry.origin();
  if (!uplink) return;
  const auto* const text = uplink->node().get<std::string>();
  if (text == nullptr || *text != "auto") network.uplink = network_link_word(*uplink);
}

/// Behind 32766, where the kernel looks into `main`, our rules would come too late.
void read_priority(const Entry& entry, Network& network) {
  constexpr std::int64_t last = 32750;
  network.rule_priority =
      entry.integer<std::uint32_t>("rulePriority", 1, last).value_or(network.rule_priority);
}

void warn_of_an_open_host(const Entry& entry, const NetworkFirewall& firewall) {
  if (!firewall.egress || firewall.egress->default_action != PolicyAction::deny) return;
  if (firewall.host) return;
  entry.warning(Code::host_open,
                "egress denies by default, but guests reach every service of the host itself: say "
                "in 'host' what they may");
}

}  // namespace

std::optional<Network> decode_network(const Entry& entry, const NetworkReading& reading) {
  Network network;
  const auto bridge = network_link_name(entry, entry.key());
  if (!entry.is_object()) return std::nullopt;
  entry.only({"subnet", "mac", "uplink", "nat", "firewall", "wireguard", "localNetworks",
              "rulePriority", "isolation", "antiSpoofing", "ipv6", "vms"});
  const auto subnet = subnet_of(entry);
  network.origin = entry.origin();
  network.subnet_origin = entry.has("subnet") ? entry.find("subnet")->origin() : entry.origin();
  network.mac = given_mac(entry);
  read_uplink(entry, network);
  read_bool(entry, "nat", network.nat);
  if (const auto firewall = entry.find("firewall")) {
    network.firewall = decode_firewall(*firewall, reading);
    warn_of_an_open_host(*firewall, network.firewall);
  }
  if (const auto wireguard = entry.find("wireguard")) {
    network.wireguard = decode_tunnel(*wireguard, reading);
  }
  read_choice<LocalNetworks>(entry, "localNetworks", Code::invalid_network,
                             {"tunnel", LocalNetworks::tunnel}, {"direct", LocalNetworks::direct},
                             network.local_networks);
  read_priority(entry, network);
  read_bool(entry, "isolation", network.isolation);
  read_bool(entry, "antiSpoofing", network.anti_spoofing);
  read_choice<GuestIpv6>(entry, "ipv6", Code::invalid_network, {"block", GuestIpv6::block},
                         {"ignore", GuestIpv6::ignore}, network.ipv6);
  if (const auto vms = entry.find("vms")) network.vms = decode_vms(*vms, subnet);
  if (!bridge || !subnet) return std::nullopt;
  network.bridge = *bridge;
  network.subnet = *subnet;
  return network;
}

}  // namespace plumbline::spec
