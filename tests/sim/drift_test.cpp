// Whatever somebody else changes about what is ours, the next pass puts it right, and nothing but
// that.

#include <gtest/gtest.h>
#include <linux/if.h>

#include <algorithm>

#include "tests/sim/addresses.hpp"
#include "tests/sim/links.hpp"
#include "tests/sim/routes.hpp"
#include "tests/sim/seen.hpp"
#include "tests/sim/site.hpp"
#include "tests/sim/specs.hpp"
#include "tests/sim/sysctls.hpp"

namespace plumbline::sim {

namespace {

struct Drift {
  std::string name;
  std::string spec;
  void (*happen)(Namespace& there);
};

void PrintTo(const Drift& drift, std::ostream* out) { *out << drift.name; }

Device& link(Namespace& there, const std::string& name) { return *there.device(name); }

Route& route_to(Namespace& there, const char* to) {
  const Prefix prefix = *Prefix::parse(to);
  auto& routes = there.routing(prefix.family()).routes;
  return *std::ranges::find_if(
      routes, [&](const Route& it) { return it.to == prefix && it.protocol == 112; });
}

void lose_route(Namespace& there, const char* to) {
  const Prefix prefix = *Prefix::parse(to);
  std::erase_if(there.routing(prefix.family()).routes,
                [&](const Route& it) { return it.to == prefix && it.protocol == 112; });
}

NftTable& filter(Namespace& there) {
  return *std::ranges::find_if(there.nf_tables.tables, [](const NftTable& table) {
    return table.family == 2 && table.name == "filter";
  });
}

NftChain& chain(Namespace& there, const char* name) {
  ++there.nf_tables.generation;
  return *std::ranges::find(filter(there).chains, name, &NftChain::name);
}

void lose_address(Namespace& there, const std::string& name, bool inet6 = false) {
  if (inet6) return remove_inet6(there, link(there, name), 0);
  remove_inet(there, link(there, name), 0);
}

const std::vector<Drift>& drifts() {
  static const std::vector<Drift> all{
      {"BridgeMtu", "Bridge", [](Namespace& it) { set_mtu(it, link(it, "br0"), 1450); }},
      {"BridgeMac", "Bridge",
       [](Namespace& it) { link(it, "br0").mac = *Mac::parse("02:00:00:00:09:09"); }},
      {"BridgeAlias", "Bridge",
       [](Namespace& it) { link(it, "br0").alias = "plumbline:1;;theirs"; }},
      {"BridgeQueue", "Bridge", [](Namespace& it) { link(it, "br0").tx_queue_length = 7; }},
      {"BridgeDown", "Bridge", [](Namespace& it) { close_device(it, link(it, "br0")); }},
      {"BridgeDelay", "Bridge", [](Namespace& it) { link(it, "br0").bridge->forward_delay = 700; }},
      {"BridgeAgeing", "Bridge", [](Namespace& it) { link(it, "br0").bridge->ageing_time = 1; }},
      {"BridgeSnooping", "Bridge",
       [](Namespace& it) { link(it, "br0").bridge->multicast_snooping = true; }},
      {"BridgeGone", "Bridge", [](Namespace& it) { unregister_device(it, link(it, "br0").index); }},
      {"BridgeAddressGone", "Bridge", [](Namespace& it) { lose_address(it, "br0"); }},
      {"TapMaster", "Taps", [](Namespace& it) { set_master(it, link(it, "tap0"), 0); }},
      {"TapMac", "Taps",
       [](Namespace& it) { link(it, "tap0").mac = *Mac::parse("02:00:00:00:09:09"); }},
      {"TapOwner", "Taps", [](Namespace& it) { link(it, "tap0").tun->owner = 7; }},
      {"TapGroup", "Taps", [](Namespace& it) { link(it, "tap0").tun->group = 7; }},
      {"TapGone", "Taps", [](Namespace& it) { unregister_device(it, link(it, "tap1").index); }},
      {"PortIsolation", "Taps", [](Namespace& it) { link(it, "tap0").port->isolated = false; }},
      {"PortLearning", "Taps", [](Namespace& it) { link(it, "tap0").port->learning = true; }},
      {"PortCost", "Taps", [](Namespace& it) { link(it, "tap0").port->cost = 9; }},
      {"PortPriority", "Taps", [](Namespace& it) { link(it, "tap1").port->priority = 1; }},
      {"PortHairpin", "Taps", [](Namespace& it) { link(it, "tap1").port->hairpin = false; }},
      {"VethMtu", "Veth", [](Namespace& it) { set_mtu(it, link(it, "vb"), 1300); }},
      {"VethGone", "Veth", [](Namespace& it) { unregister_device(it, link(it, "vb").index); }},
      {"VxlanRemote", "Vxlan",
       [](Namespace& it) { link(it, "vx0").vxlan->remote = IpAddress::parse("10.0.0.9"); }},
      {"VxlanLocal", "Vxlan", [](Namespace& it) { link(it, "vx0").vxlan->local.reset(); }},
      {"VxlanLearning", "Vxlan", [](Namespace& it) { link(it, "vx0").vxlan->learning = true; }},
      {"VxlanIdentifier", "Vxlan", [](Namespace& it) { link(it, "vx0").vxlan->id = 6; }},
      {"CardMtu", "Card", [](Namespace& it) { set_mtu(it, link(it, "eth0"), 1500); }},
      {"CardMaster", "Card", [](Namespace& it) { set_master(it, link(it, "eth1"), 0); }},
      {"AddressGone", "Addresses", [](Namespace& it) { lose_address(it, "eth0"); }},
      {"AddressGone6", "Addresses", [](Namespace& it) { lose_address(it, "eth0", true); }},
      {"RouteGone", "Routes", [](Namespace& it) { lose_route(it, "10.9.0.0/16"); }},
      {"RouteGone6", "Routes", [](Namespace& it) { lose_route(it, "::/0"); }},
      {"RouteGateway", "Routes",
       [](Namespace& it) {
         route_to(it, "10.9.0.0/16").nexthops.front().gateway = IpAddress::parse("10.6.0.9");
       }},
      {"RouteMtu", "Routes", [](Namespace& it) { route_to(it, "10.9.0.0/16").metrics.clear(); }},
      {"RouteType", "Routes", [](Namespace& it) { route_to(it, "192.0.2.0/24").type = 7; }},
      {"RouteWeight", "Routes",
       [](Namespace& it) { route_to(it, "10.10.0.0/16").nexthops.front().hops = 9; }},
      {"RuleGone", "Rules", [](Namespace& it) { it.inet.rules.erase(it.inet.rules.begin() + 1); }},
      {"RuleGone6", "Rules",
       [](Namespace& it) { it.inet6.rules.erase(it.inet6.rules.begin() + 1); }},
      {"Forwarding", "Settings",
       [](Namespace& it) { write_setting(it, "net/ipv4/ip_forward", "0"); }},
      {"Forwarding6", "Settings",
       [](Namespace& it) { write_setting(it, "net/ipv6/conf/all/forwarding", "0"); }},
      {"SettingOfALink", "Settings",
       [](Namespace& it) { write_setting(it, "net/ipv4/conf/eth0/rp_filter", "0"); }},
      {"RulesOfAChain", "Chains", [](Namespace& it) { chain(it, "APP").rules.clear(); }},
      {"OrderOfAChain", "Chains",
       [](Namespace& it) { std::ranges::reverse(chain(it, "APP").rules); }},
      {"RuleTwice", "Chains",
       [](Namespace& it) {
         auto& rules = chain(it, "APP-END").rules;
         rules.push_back(rules.front());
         rules.back().handle = 900;
       }},
      {"Policy", "Chains", [](Namespace& it) { chain(it, "FORWARD").policy = 1; }},
      {"JumpGone", "Chains",
       [](Namespace& it) {
         auto& rules = chain(it, "FORWARD").rules;
         rules.erase(rules.begin());
       }},
      {"TableAsleep", "Chains",
       [](Namespace& it) {
         filter(it).flags = 1;
         ++it.nf_tables.generation;
       }},
      {"FirewallGone", "Chains",
       [](Namespace& it) {
         it.nf_tables.tables.clear();
         ++it.nf_tables.generation;
       }},
  };
  return all;
}

class DriftTest : public testing::TestWithParam<Drift> {};

TEST_P(DriftTest, IsPutRight) {
  const Drift& drift = GetParam();
  Site site;
  site.apply(spec(drift.spec));
  const std::vector<std::string> applied = site.state();
  drift.happen(site.kernel().there());
  ASSERT_NE(difference(applied, site.state()), "");
  site.apply(spec(drift.spec));
  EXPECT_EQ(difference(applied, site.state()), "");
}

INSTANTIATE_TEST_SUITE_P(Of, DriftTest, testing::ValuesIn(drifts()),
                         [](const auto& drift) { return drift.param.name; });

}  // namespace

}  // namespace plumbline::sim
