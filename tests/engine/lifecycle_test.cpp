// Every kind, on the real kernel: made, found as wanted, left alone, drifted in every field and
// repaired, changed, changed back and removed. ip(8) and iptables(8) do the drifting.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <thread>

#include "plumbline/io/kernel_events.hpp"
#include "plumbline/io/netlink_socket.hpp"
#include "tests/support/dump.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {
namespace {

struct Life {
  const char* name;
  const char* spec;     ///< members of the top level, without `version`
  const char* changed;  ///< likewise
  std::vector<const char*> drifts;
  const char* possible = nullptr;  ///< a command that fails where the kernel cannot do this
};

void PrintTo(const Life& life, std::ostream* out) { *out << life.name; }

constexpr const char* vlans_are_possible =
    "ip link add vlans type veth peer name other && ip link add link vlans name one type vlan id 1 "
    "&& "
    "ip link del vlans";

const Life lives[] = {
    {"Bridge",
     R"("links": {"br0": {"kind": "bridge", "mtu": 1400, "mac": "02:00:00:00:01:00", "txQueueLength": 500, "alias": "lan",
          "bridge": {"stp": false, "forwardDelay": 4, "ageingTime": 100, "multicastSnooping": false, "noLinklocalLearn": true}}})",
     R"("links": {"br0": {"kind": "bridge", "mtu": 1500, "mac": "02:00:00:00:01:01", "txQueueLength": 600, "alias": "wan",
          "bridge": {"stp": true, "forwardDelay": 5, "ageingTime": 200, "multicastSnooping": true, "noLinklocalLearn": false}}})",
     {"ip link set br0 mtu 1300", "ip link set br0 down",
      "ip link set br0 address 02:00:00:00:99:00", "ip link set br0 txqueuelen 7",
      "ip link set br0 type bridge stp_state 1", "ip link set br0 type bridge forward_delay 1000",
      "ip link set br0 type bridge ageing_time 900", "ip link set br0 type bridge mcast_snooping 1",
      "ip link set br0 type bridge no_linklocal_learn 0", "ip link del br0"}},
    {"BridgeVlans",
     R"("links": {"br0": {"kind": "bridge", "bridge": {"vlanFiltering": true}}})",
     R"("links": {"br0": {"kind": "bridge", "bridge": {"vlanFiltering": false}}})",
     {"ip link set br0 type bridge vlan_filtering 0", "ip link del br0"},
     "ip link add vlans type bridge vlan_filtering 1 && ip link del vlans"},
    {"Tap",
     R"("links": {"tap1": {"kind": "tap", "mtu": 1400, "mac": "02:00:00:00:01:01", "tap": {"owner": 1000, "group": 1000}}})",
     R"("links": {"tap1": {"kind": "tap", "mtu": 1300, "mac": "02:00:00:00:01:02", "tap": {"owner": 1001, "group": 1001}}})",
     {"ip link set tap1 mtu 1200", "ip link set tap1 down",
      "ip link set tap1 address 02:00:00:00:99:01", "ip link del tap1"}},
    {"Veth",
     R"("links": {"v0": {"kind": "veth", "veth": {"peer": "v1"}, "mtu": 1400}})",
     R"("links": {"v0": {"kind": "veth", "veth": {"peer": "v2"}, "mtu": 1400}})",
     {"ip link set v0 mtu 1300", "ip link set v1 down", "ip link del v1"}},
    {"Vxlan",
     R"("links": {"vx0": {"kind": "vxlan", "mtu": 1400, "addresses": ["10.5.0.1/24"],
          "vxlan": {"id": 10, "local": "192.0.2.2", "remote": "192.0.2.1", "port": 4789, "device": "up0", "learning": true}}})",
     R"("links": {"vx0": {"kind": "vxlan", "mtu": 1400, "addresses": ["10.5.0.1/24"],
          "vxlan": {"id": 10, "local": "192.0.2.3", "remote": "192.0.2.4", "port": 4789, "device": "up0", "learning": false}}})",
     {"ip link set vx0 type vxlan id 10 local 192.0.2.9",
      "ip link set vx0 type vxlan id 10 remote 192.0.2.9",
      "ip link set vx0 type vxlan id 10 nolearning", "ip link set vx0 mtu 1300",
      "ip link set vx0 down", "ip link del vx0"}},
    {"VxlanMadeAnew",
     R"("links": {"under": {"kind": "bridge"}, "br0": {"kind": "bridge"},
          "vx0": {"kind": "vxlan", "master": "br0", "port": {"isolated": true}, "vxlan": {"id": 10, "port": 4789, "device": "under"}},
          "vx1": {"kind": "vxlan", "vxlan": {"id": 11, "port": 4789}}})",
     R"("links": {"under": {"kind": "veth", "veth": {"peer": "over"}}, "br0": {"kind": "bridge"},
          "vx0": {"kind": "vxlan", "master": "br0", "port": {"isolated": true}, "vxlan": {"id": 11, "port": 4789, "device": "under"}},
          "vx2": {"kind": "vxlan", "vxlan": {"id": 10, "port": 4789, "remote": "2001:db8::9"}}})",
     {"ip link del under", "ip link del vx0", "ip link set vx0 nomaster"}},
    {"Ifb",
     R"("links": {"ifb7": {"kind": "ifb", "mtu": 1400, "mac": "02:00:00:00:07:01", "alias": "in"}})",
     R"("links": {"ifb7": {"kind": "ifb", "mtu": 1300, "mac": "02:00:00:00:07:02", "alias": "out"}})",
     {"ip link set ifb7 mtu 1350", "ip link set ifb7 down", "ip link del ifb7"}},
    {"Dummy",
     R"("links": {"sink": {"kind": "dummy", "mtu": 1400, "mac": "02:00:00:00:07:01", "alias": "in", "addresses": ["10.5.0.1/32"]}})",
     R"("links": {"sink": {"kind": "dummy", "mtu": 1300, "mac": "02:00:00:00:07:02", "alias": "out", "addresses": ["10.5.0.2/32"]}})",
     {"ip link set sink mtu 1350", "ip link set sink address 02:00:00:00:99:07",
      "ip link set sink down", "ip link del sink"},
     "ip link add dummies type dummy && ip link del dummies"},
    {"Vlan",
     R"("links": {"up0.40": {"kind": "vlan", "mtu": 1400, "alias": "forty", "addresses": ["10.5.0.1/24"],
          "vlan": {"device": "up0", "id": 40, "reorderHdr": false, "looseBinding": true, "bridgeBinding": false}},
          "q": {"kind": "vlan", "vlan": {"device": "up0.40", "id": 7}}})",
     R"("links": {"up0.40": {"kind": "vlan", "mtu": 1300, "alias": "still forty", "addresses": ["10.5.0.1/24"],
          "vlan": {"device": "up0", "id": 40, "reorderHdr": true, "looseBinding": false, "bridgeBinding": true}},
          "q": {"kind": "vlan", "vlan": {"device": "up0.40", "id": 8}}})",
     {"ip link set up0.40 type vlan reorder_hdr on",
      "ip link set up0.40 type vlan loose_binding off",
      "ip link set up0.40 type vlan bridge_binding on", "ip link set up0.40 mtu 1350",
      "ip link set up0.40 down", "ip link set q down", "ip link del q", "ip link del up0.40"},
     vlans_are_possible},
    {"VlanMadeAnew",
     R"("links": {"br0": {"kind": "bridge"}, "v40": {"kind": "vlan", "vlan": {"device": "br0", "id": 40, "protocol": "802.1ad"}},
          "v41": {"kind": "vlan", "master": "br1", "port": {"isolated": true}, "vlan": {"device": "br0", "id": 41}}, "br1": {"kind": "bridge"}})",
     R"("links": {"br0": {"kind": "veth", "veth": {"peer": "br0-other"}}, "v40": {"kind": "vlan", "vlan": {"device": "br0", "id": 40}},
          "v42": {"kind": "vlan", "master": "br1", "port": {"isolated": true}, "vlan": {"device": "br0", "id": 41}}, "br1": {"kind": "bridge"}})",
     {"ip link del v40", "ip link del v41", "ip link del br0", "ip link set v41 nomaster"},
     vlans_are_possible},
    {"BridgePort",
     R"("links": {"br0": {"kind": "bridge"}, "tap1": {"kind": "tap", "master": "br0",
          "port": {"isolated": true, "learning": false, "hairpin": true, "cost": 50, "priority": 8, "groupFwdMask": 8}}})",
     R"("links": {"br0": {"kind": "bridge"}, "tap1": {"kind": "tap", "master": "br0",
          "port": {"isolated": false, "learning": true, "hairpin": false, "cost": 60, "priority": 9, "groupFwdMask": 0}}})",
     {"ip link set tap1 type bridge_slave isolated off",
      "ip link set tap1 type bridge_slave learning on",
      "ip link set tap1 type bridge_slave hairpin off", "ip link set tap1 type bridge_slave cost 3",
      "ip link set tap1 type bridge_slave priority 1",
      "ip link set tap1 type bridge_slave group_fwd_mask 16", "ip link set tap1 nomaster",
      "ip link del br0"}},
    {"Physical",
     R"("links": {"up0": {"kind": "physical", "mtu": 1400, "txQueueLength": 500, "alias": "uplink"}})",
     R"("links": {"up0": {"kind": "physical", "mtu": 1300, "mac": "02:00:00:00:77:01"}})",
     {"ip link set up0 mtu 1350", "ip link set up0 down", "ip link set up0 txqueuelen 7",
      "ip link set up0 alias other"}},
    {"Address",
     R"("links": {"up0": {"kind": "physical", "addresses": ["10.5.0.1/24", "10.5.0.2/24", "fd00:5::1/64"]}})",
     R"("links": {"up0": {"kind": "physical", "addresses": ["10.5.0.2/24", "10.5.0.3/25", "fd00:5::1/60"]}})",
     {"ip address del 10.5.0.1/24 dev up0", "ip address del 10.5.0.2/24 dev up0",
      "ip address del fd00:5::1/64 dev up0", "ip -6 address flush to fd00:5::/64"}},
    {"Neighbour",
     R"("neighbours": [{"to": "192.0.2.7", "dev": "up0", "lladdr": "02:00:00:00:00:07"},
          {"to": "2001:db8::7", "dev": "up0", "lladdr": "02:00:00:00:00:07", "router": true},
          {"to": "192.0.2.8", "dev": "up0", "proxy": true}, {"to": "2001:db8::8", "dev": "up0", "proxy": true}])",
     R"("neighbours": [{"to": "192.0.2.7", "dev": "up0", "lladdr": "02:00:00:00:00:17"},
          {"to": "2001:db8::7", "dev": "up0", "lladdr": "02:00:00:00:00:07", "router": false},
          {"to": "192.0.2.8", "dev": "up0", "lladdr": "02:00:00:00:00:08"}, {"to": "2001:db8::9", "dev": "up0", "proxy": true}])",
     {"ip neigh del 192.0.2.7 dev up0", "ip neigh del 2001:db8::7 dev up0",
      "ip neigh replace 192.0.2.7 dev up0 lladdr 02:00:00:00:99:07 proto 112",
      "ip neigh del proxy 192.0.2.8 dev up0", "ip neigh del proxy 2001:db8::8 dev up0",
      "ip link set up0 address 02:00:00:00:99:77", "ip link set up0 address 02:00:00:00:99:76"}},
    {"RouteUnicast",
     R"("routes": [{"to": "10.6.0.0/16", "via": "192.0.2.1", "dev": "up0", "metric": 50, "src": "192.0.2.2", "mtu": 1300, "advmss": 1200}])",
     R"("routes": [{"to": "10.6.0.0/16", "via": "192.0.2.9", "dev": "up0", "metric": 50}])",
     {"ip route del 10.6.0.0/16 metric 50",
      "ip route replace 10.6.0.0/16 via 192.0.2.7 dev up0 metric 50 src 192.0.2.2 mtu 1300 advmss "
      "1200 proto 112",
      "ip route replace 10.6.0.0/16 via 192.0.2.1 dev up0 metric 50 src 192.0.2.2 mtu 1200 advmss "
      "1200 proto 112",
      "ip route replace 10.6.0.0/16 via 192.0.2.1 dev up0 metric 50 src 192.0.2.2 mtu 1300 advmss "
      "1100 proto 112",
      "ip route replace 10.6.0.0/16 via 192.0.2.1 dev up0 metric 50 mtu 1300 advmss 1200 proto 112",
      "ip route replace 10.6.0.0/16 via 192.0.2.1 dev up0 metric 50 src 192.0.2.2 mtu 1300 advmss "
      "1200 initcwnd 30 proto 112",
      "ip route replace blackhole 10.6.0.0/16 metric 50 proto 112"}},
    {"RouteSpecial",
     R"("routes": [{"to": "10.6.0.0/16", "type": "blackhole"}, {"to": "10.7.0.0/16", "type": "unreachable", "table": 100},
                   {"to": "fd00:6::/48", "type": "prohibit"}, {"to": "10.8.0.0/24", "type": "local", "dev": "lo", "table": 200}])",
     R"("routes": [{"to": "10.6.0.0/16", "type": "unreachable"}, {"to": "10.7.0.0/16", "via": "192.0.2.1", "table": 100},
                   {"to": "fd00:6::/48", "via": "2001:db8::1", "dev": "up0"}])",
     {"ip route del blackhole 10.6.0.0/16", "ip route del 10.7.0.0/16 table 100",
      "ip -6 route del prohibit fd00:6::/48", "ip route del local 10.8.0.0/24 dev lo table 200"}},
    {"RouteMultipath",
     R"("routes": [{"to": "10.6.0.0/16", "nexthops": [{"via": "192.0.2.1", "dev": "up0", "weight": 2}, {"via": "192.0.2.3", "dev": "up0"}]},
                   {"to": "fd00:6::/48", "nexthops": [{"via": "2001:db8::1", "dev": "up0"}, {"via": "2001:db8::3", "dev": "up0"}]}])",
     R"("routes": [{"to": "10.6.0.0/16", "via": "192.0.2.1", "dev": "up0"},
                   {"to": "fd00:6::/48", "nexthops": [{"via": "2001:db8::1", "dev": "up0"}, {"via": "2001:db8::4", "dev": "up0"}, {"via": "2001:db8::5", "dev": "up0"}]}])",
     {"ip route del 10.6.0.0/16", "ip -6 route del fd00:6::/48 via 2001:db8::1 dev up0",
      "ip route replace 10.6.0.0/16 proto 112 nexthop via 192.0.2.1 dev up0 weight 9 nexthop via "
      "192.0.2.3 dev up0"}},
    {"Rule",
     R"("rules": [{"priority": 1000, "from": "10.1.0.0/24", "table": 100},
                  {"priority": 1001, "not": true, "fwmark": "0xca6c/0xffff", "table": 51820},
                  {"priority": 1002, "table": "main", "suppressPrefixLength": 0},
                  {"priority": 1003, "to": "10.0.0.0/8", "iif": "up0", "ipProtocol": "tcp", "destinationPorts": "80-90", "action": "unreachable"},
                  {"priority": 1004, "from": "fd00::/8", "table": 100}])",
     R"("rules": [{"priority": 1000, "from": "10.1.0.0/24", "table": 101},
                  {"priority": 1005, "action": "goto", "goto": 2000}, {"priority": 2000, "table": 100}])",
     {"ip rule del priority 1000", "ip rule del priority 1001", "ip rule del priority 1002",
      "ip rule del priority 1003", "ip -6 rule del priority 1004"}},
    {"Sysctl",
     R"("sysctls": {"net.ipv4.ip_forward": 1, "net.ipv4.conf.up0.rp_filter": 2, "net.ipv4.ip_local_port_range": "20000 30000"})",
     R"("sysctls": {"net.ipv4.ip_forward": 1, "net.ipv4.conf.up0.rp_filter": 1})",
     {"sysctl -qw net.ipv4.ip_forward=0", "sysctl -qw net.ipv4.conf.up0.rp_filter=0",
      "sysctl -qw net.ipv4.ip_local_port_range=1025 2000"}},
    {"Chain",
     R"("iptables": {"filter": {"chains": {"APP": {"rules": ["-p tcp --dport 22 -j ACCEPT", "-s 10.0.0.0/8 -j DROP"]}}}},
        "ip6tables": {"mangle": {"chains": {"APP6": {"rules": ["-p tcp --dport 22 -j ACCEPT"]}}}})",
     R"("iptables": {"filter": {"chains": {"APP": {"rules": ["-s 10.0.0.0/8 -j DROP"]}, "MORE": {"rules": ["-j APP"]}}}})",
     {"iptables-nft -F APP", "iptables-nft -D APP 1", "iptables-nft -I APP 1 -s 1.2.3.4 -j ACCEPT",
      "iptables-nft -R APP 2 -s 11.0.0.0/8 -j DROP", "ip6tables-nft -t mangle -F APP6"}},
    {"SharedChain",
     R"("iptables": {"filter": {"chains": {"APP": {"rules": ["-j RETURN"]}},
          "shared": {"FORWARD": {"policy": "DROP", "insert": ["-i br0 -j APP", "-o br0 -j ACCEPT"], "append": ["-j LOG"]}}},
        "nat": {"shared": {"POSTROUTING": {"append": ["-s 10.1.0.0/24 -o up0 -j MASQUERADE"]}}}})",
     R"("iptables": {"filter": {"shared": {"FORWARD": {"insert": ["-o br0 -j ACCEPT"]}, "INPUT": {"append": ["-i br0 -j DROP"]}}}})",
     {"iptables-nft -D FORWARD 1", "iptables-nft -D FORWARD 2",
      "iptables-nft -I FORWARD 1 -j ACCEPT", "iptables-nft -A FORWARD -j ACCEPT",
      "iptables-nft -P FORWARD ACCEPT", "iptables-nft -F FORWARD",
      "iptables-nft -t nat -F POSTROUTING"}},
};

/// Moves with every change of the ruleset, in whichever family.
std::uint32_t nft_generation() {
  wire::MessageBuilder question(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0);
  question.header(nfgenmsg{AF_UNSPEC, NFNETLINK_V0, 0});
  io::NetlinkSocket socket(NETLINK_NETFILTER);
  const wire::Reply reply = socket.get(std::move(question).finish());
  std::uint32_t generation = 0;
  wire::for_each_message(reply.bytes, [&](const wire::Message& message) {
    message.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
      if (attribute.type() == NFTA_GEN_ID) generation = ntohl(attribute.u32());
    });
  });
  if (generation == 0) throw std::runtime_error("no generation");
  return generation;
}

std::string run_words(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; in >> word;) words.push_back(word);
  // The one command with a value of two words.
  if (words.back() == "2000" && words.front() == "sysctl") {
    words[words.size() - 2] += " 2000";
    words.pop_back();
  }
  return must_run(words);
}

class LifecycleTest : public NetnsTest, public ::testing::WithParamInterface<Life> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    if (const char* possible = GetParam().possible; possible != nullptr) {
      const bool refused = run({"sh", "-c", possible}).status != 0;
      if (refused) GTEST_SKIP() << "this kernel refuses: " << possible;
    }
    bring_up_loopback();
    // What the test itself takes down keeps its addresses, and they are usable at once.
    must_run({"sysctl", "-qw", "net.ipv6.conf.default.keep_addr_on_down=1"});
    must_run({"sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0"});
    ip("link add up0 type veth peer name up1");
    ip("link set up1 up");
    ip("link set up0 up");
    ip("address add 192.0.2.2/24 dev up0");
    ip("-6 address add 2001:db8::2/64 dev up0 nodad");
  }

  static std::string whole(const char* members) {
    return R"({"version": 1, )" + std::string(members) + "}";
  }

  /// A second apply sends the kernel nothing: no event, and the ruleset's generation stays. Links
  /// also report what the kernel's own work queue does to them, at any time: a change of ours would
  /// be seen every time, that is not.
  static void expect_quiet(Site& site, const std::string& spec) {
    io::KernelEvents events;
    std::size_t seen = 0;
    for (int attempt = 0; attempt < 5; ++attempt) {
      do {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      } while (events.drain().count > 0);
      const auto generation = nft_generation();
      const engine::Prepared again = site.prepare(spec);
      EXPECT_EQ(site.carry_out(again).result, engine::Result::unchanged) << shown(again);
      EXPECT_EQ(nft_generation(), generation);
      seen = events.drain().count;
      if (seen == 0) return;
    }
    ADD_FAILURE() << seen << " events of a pass that had nothing to do";
  }
};

TEST_P(LifecycleTest, IsMadeKeptRepairedChangedAndRemoved) {
  Site site;
  run_words("ip link set up0 address 02:00:00:00:99:76");
  const std::string before = dump_namespace();
  const std::string spec = whole(GetParam().spec);
  const std::string changed = whole(GetParam().changed);
  site.apply(spec);
  expect_quiet(site, spec);
  for (const char* drift : GetParam().drifts) {
    SCOPED_TRACE(drift);
    run_words(drift);
    EXPECT_NE(shown(site.prepare(spec)), "No changes. The host matches the spec.\n");
    site.apply(spec);
  }
  site.apply(changed);
  expect_quiet(site, changed);
  site.apply(spec);
  expect_quiet(site, spec);
  site.options.allow_empty = true;
  site.apply(R"({"version": 1})");
  EXPECT_EQ(difference(before, dump_namespace()), "");
}

INSTANTIATE_TEST_SUITE_P(Kinds, LifecycleTest, ::testing::ValuesIn(lives),
                         [](const auto& life) { return std::string(life.param.name); });

}  // namespace
}  // namespace plumbline::test
