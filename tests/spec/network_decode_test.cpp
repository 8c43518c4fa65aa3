// What an entry of `networks` says, and what is wrong with it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plumbline/spec/assignments.hpp"
#include "tests/spec/loaded.hpp"

namespace plumbline::spec {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace {

Loaded load_network(const std::string& entry) {
  return load_members("\"networks\": {\"svbr0\": " + entry + "}");
}

Network network_of(const std::string& entry) {
  const Loaded loaded = load_network(entry);
  EXPECT_THAT(loaded.errors, IsEmpty());
  return loaded.spec.networks.empty() ? Network() : loaded.spec.networks[0];
}

Loaded load_rule(const std::string& rule) {
  return load_network(R"({"firewall": {"host": {}, "egress": {"rules": [)" + rule + "]}}}");
}

}  // namespace

TEST(DecodeNetwork, HasTheDefaultsOfTheFormat) {
  const Network network = network_of("{}");
  EXPECT_EQ(format(network.bridge), "svbr0");
  EXPECT_EQ(format(network.subnet), "172.30.0.0/24");
  EXPECT_EQ(network.uplink, std::nullopt);
  EXPECT_TRUE(network.nat);
  EXPECT_EQ(network.firewall, NetworkFirewall());
  EXPECT_EQ(network.wireguard, std::nullopt);
  EXPECT_EQ(network.local_networks, LocalNetworks::tunnel);
  EXPECT_EQ(network.rule_priority, 31820U);
  EXPECT_FALSE(network.isolation);
  EXPECT_TRUE(network.anti_spoofing);
  EXPECT_EQ(network.ipv6, GuestIpv6::block);
  EXPECT_THAT(network.vms, IsEmpty());
}

TEST(DecodeNetwork, LeavesTheHostItsOwnWays) {
  for (const char* tunnel : {R"({"existingInterface": "wg0", "routeTable": 254})",
                             R"({"existingInterface": "wg0", "routeTable": 255})"}) {
    const Loaded loaded = load_network("{\"wireguard\": " + std::string(tunnel) + "}");
    ASSERT_THAT(loaded.errors, SizeIs(1)) << tunnel;
    EXPECT_THAT(loaded.errors[0], HasSubstr("INVALID_WIREGUARD_CONFIG"));
  }
  EXPECT_THAT(
      load_network(R"({"wireguard": {"existingInterface": "wg0", "routeTable": 253}})").errors,
      IsEmpty());
}

TEST(DecodeNetwork, ReadsEveryKey) {
  const Network network = network_of(R"({
    "subnet": "10.1.2.3/16", "uplink": "eth9", "nat": false, "localNetworks": "direct",
    "rulePriority": 100, "isolation": true, "antiSpoofing": false, "ipv6": "ignore",
    "wireguard": {"existingInterface": "wg0", "routeTable": 4294967295, "routeAllVmTraffic": false,
                  "failClosed": false},
    "vms": {"web-1": {"interfaces": {
      "a": {"ip": "10.1.0.10", "mac": "02:00:00:00:00:10", "tap": "svweb1", "owner": 1000,
            "group": 0, "guestInterface": "ens3"},
      "b": {}}}, "web_2": {}, "none": {"interfaces": {}}}})");
  EXPECT_EQ(format(network.subnet), "10.1.0.0/16") << "host bits are masked";
  EXPECT_EQ(network.uplink, IfName::parse("eth9"));
  EXPECT_FALSE(network.nat);
  EXPECT_EQ(network.local_networks, LocalNetworks::direct);
  EXPECT_EQ(network.rule_priority, 100U);
  EXPECT_TRUE(network.isolation);
  EXPECT_FALSE(network.anti_spoofing);
  EXPECT_EQ(network.ipv6, GuestIpv6::ignore);
  ASSERT_TRUE(network.wireguard);
  EXPECT_EQ(network.wireguard->interface, IfName::parse("wg0"));
  EXPECT_FALSE(network.wireguard->managed());
  EXPECT_EQ(network.wireguard->route_table.number, 4294967295U);
  EXPECT_FALSE(network.wireguard->route_all_vm_traffic);
  EXPECT_FALSE(network.wireguard->fail_closed);
  ASSERT_THAT(network.vms, SizeIs(3));
  ASSERT_THAT(network.vms[0].interfaces, SizeIs(2));
  const GuestInterface& a = network.vms[0].interfaces[0];
  EXPECT_EQ(format(a.ip->value), "10.1.0.10");
  EXPECT_EQ(format(a.mac->value), "02:00:00:00:00:10");
  EXPECT_EQ(format(a.tap->value), "svweb1");
  EXPECT_EQ(a.owner, 1000U);
  EXPECT_EQ(a.group, 0U);
  EXPECT_EQ(a.guest_interface, "ens3");
  EXPECT_EQ(format(a.tap->origin).substr(0, 7), "a.json:") << "an error can name the place";
  EXPECT_EQ(network.vms[0].interfaces[1].guest_interface, "eth1") << "the second of its VM";
  ASSERT_THAT(network.vms[1].interfaces, SizeIs(1)) << "no interfaces is one";
  EXPECT_EQ(network.vms[1].interfaces[0].id, "eth0");
  EXPECT_THAT(network.vms[2].interfaces, IsEmpty());
}

TEST(DecodeNetwork, ReadsPolicies) {
  const Network network = network_of(R"({"firewall": {
    "egress": {"defaultAction": "deny", "allowTarget": "RETURN", "rules": [
      {"action": "allow", "to": "10.9.9.9/8", "protocol": "tcp", "ports": [80, "8000-8080"],
       "comment": "wéb"}, {"action": "deny", "to": "169.254.169.254"}]},
    "ingress": {"rules": [{"action": "allow", "from": "192.0.2.0/24", "protocol": "udp",
                           "ports": 22}]},
    "host": {"rules": [{"action": "deny", "protocol": "icmp"}]}}})");
  const NetworkFirewall& firewall = network.firewall;
  ASSERT_TRUE(firewall.egress && firewall.ingress && firewall.host);
  EXPECT_EQ(firewall.allow_target, AllowTarget::leave);
  EXPECT_EQ(firewall.egress->default_action, PolicyAction::deny);
  ASSERT_THAT(firewall.egress->rules, SizeIs(2));
  const PolicyRule& web = firewall.egress->rules[0];
  EXPECT_EQ(web.action, PolicyAction::allow);
  EXPECT_EQ(format(*web.peer), "10.0.0.0/8");
  EXPECT_EQ(web.protocol, PolicyProtocol::tcp);
  EXPECT_THAT(web.ports, ElementsAre(PortRange{80, 80}, PortRange{8000, 8080}));
  EXPECT_EQ(web.comment, "wéb");
  EXPECT_EQ(format(*firewall.egress->rules[1].peer), "169.254.169.254/32");
  EXPECT_EQ(firewall.ingress->default_action, PolicyAction::deny) << "as egress is filtered";
  EXPECT_EQ(format(*firewall.ingress->rules[0].peer), "192.0.2.0/24");
  EXPECT_EQ(firewall.host->default_action, PolicyAction::allow);
}

TEST(DecodeNetwork, DeniesNoIngressByDefaultWhereEgressIsOpen) {
  const Network network = network_of(R"({"firewall": {"ingress": {}}})");
  EXPECT_EQ(network.firewall.ingress->default_action, PolicyAction::allow);
}

TEST(DecodeNetwork, WarnsOfAHostThatStaysOpenBehindADenyingEgress) {
  testing::MemoryFiles files;
  files.texts["a.json"] = R"({"version": 1, "networks": {"svbr0": {"firewall":
    {"egress": {"defaultAction": "deny"}}}}})";
  Diagnostics diagnostics;
  static_cast<void>(load({"a.json"}, files, diagnostics));
  ASSERT_THAT(diagnostics.warnings, SizeIs(1));
  EXPECT_EQ(diagnostics.warnings[0].code, Code::host_open);
  files.texts["a.json"] = R"({"version": 1, "networks": {"svbr0": {"firewall":
    {"egress": {"defaultAction": "deny"}, "host": {}}}}})";
  diagnostics = {};
  static_cast<void>(load({"a.json"}, files, diagnostics));
  EXPECT_THAT(diagnostics.warnings, IsEmpty());
}

// ---- from several files -------------------------------------------------------------------------

TEST(DecodeNetwork, TakesOneFilePerVm) {
  const Loaded loaded = load_files(
      {{"00-host.json", R"({"version": 1, "networks": {"svbr0": {"subnet": "10.0.0.0/24"}}})"},
       {"b.json", R"({"version": 1, "networks": {"svbr0": {"vms": {"b": {}}}}})"},
       {"a.json", R"({"version": 1, "networks": {"svbr0": {"vms": {"z": {}}}}})"},
       {"c.json",
        R"({"version": 1, "networks": {"svbr0": {"vms": {"b": {"interfaces": {"x": {}}}}}}})"}});
  EXPECT_THAT(loaded.errors, IsEmpty());
  ASSERT_THAT(loaded.spec.networks, SizeIs(1));
  ASSERT_THAT(loaded.spec.networks[0].vms, SizeIs(2));
  EXPECT_EQ(loaded.spec.networks[0].vms[0].id, "z") << "in the order of the files";
  EXPECT_EQ(loaded.spec.networks[0].vms[1].id, "b");
  EXPECT_EQ(loaded.spec.networks[0].vms[1].interfaces[0].id, "x");
}

TEST(DecodeNetwork, RefusesWhatTwoFilesGiveForOneVm) {
  const auto file = [](const char* ip) {
    return std::string(R"({"version": 1, "networks": {"svbr0": {"vms": {"a": {"interfaces": {)") +
           R"("eth0": {"ip": ")" + ip + R"("}}}}}}})";
  };
  const Loaded loaded =
      load_files({{"a.json", file("172.30.0.5")}, {"b.json", file("172.30.0.5")}});
  EXPECT_THAT(loaded.errors, ElementsAre(HasSubstr("CONFLICTING_FILES")));
}

// ---- the tunnel's text --------------------------------------------------------------------------

TEST(DecodeNetwork, ReadsTheTunnelsTextBesideTheSpecThatNamesIt) {
  const std::string spec =
      R"({"version": 1, "networks": {"svbr0": {"wireguard": {"configFile": "keys/wg.conf"}}}})";
  const std::string text =
      "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n"
      "Address = 10.8.0.2/32\n";
  testing::MemoryFiles files({{"etc/a.json", spec}, {"etc/keys/wg.conf", text}});
  const Loaded loaded = load_with(files, {"etc/a.json"});
  EXPECT_THAT(loaded.errors, IsEmpty());
  const NetworkTunnel& tunnel = *loaded.spec.networks.at(0).wireguard;
  EXPECT_EQ(tunnel.interface, IfName::parse("svwg0"));
  ASSERT_TRUE(tunnel.managed());
  EXPECT_EQ(tunnel.config->text, text);
  EXPECT_EQ(tunnel.config->path, "etc/keys/wg.conf");
}

TEST(DecodeNetwork, ReadsNoDeviceAsTheTunnelsText) {
  testing::MemoryFiles files;
  files.texts["a.json"] =
      R"({"version": 1, "networks": {"svbr0": {"wireguard": {"configFile": "p"}}}})";
  files.others = {"./p"};
  EXPECT_THAT(load_with(files, {"a.json"}).errors, ElementsAre(HasSubstr("UNREADABLE_FILE")));
  EXPECT_THAT(files.opened, ::testing::Not(::testing::Contains("./p")));
}

// ---- what is wrong ------------------------------------------------------------------------------

struct BadNetwork {
  std::string entry;
  std::string code;
  std::string pointer;  ///< below /networks/svbr0
};

void PrintTo(const BadNetwork& bad, std::ostream* out) { *out << bad.entry; }

class BadNetworks : public ::testing::TestWithParam<BadNetwork> {};

TEST_P(BadNetworks, AreRefusedWithTheirCodeAtTheirPlace) {
  const Loaded loaded = load_network(GetParam().entry);
  ASSERT_THAT(loaded.diagnostics, SizeIs(1)) << ::testing::PrintToString(loaded.errors);
  EXPECT_EQ(format(loaded.diagnostics[0].code), GetParam().code) << loaded.errors[0];
  EXPECT_EQ(loaded.diagnostics[0].pointer, "/networks/svbr0" + GetParam().pointer);
}

const BadNetwork bad_networks[] = {
    {"5", "WRONG_TYPE", ""},
    {R"({"bridge": 1})", "UNKNOWN_KEY", "/bridge"},
    {R"({"subnet": 5})", "WRONG_TYPE", "/subnet"},
    {R"({"subnet": ""})", "INVALID_SUBNET", "/subnet"},
    {R"({"subnet": "10.0.0.0/31"})", "INVALID_SUBNET", "/subnet"},
    {R"({"subnet": "0.1.0.0/16"})", "INVALID_SUBNET", "/subnet"},
    {R"({"subnet": "127.1.0.0/16"})", "INVALID_SUBNET", "/subnet"},
    {R"({"subnet": "128.0.0.0/1"})", "INVALID_SUBNET", "/subnet"},
    {R"({"uplink": "eth+"})", "INVALID_INTERFACE_NAME", "/uplink"},
    {R"({"uplink": null})", "INVALID_INTERFACE_NAME", "/uplink"},
    {R"({"uplink": "all"})", "INVALID_INTERFACE_NAME", "/uplink"},
    {R"({"uplink": "svbr0"})", "INVALID_NETWORK", "/uplink"},
    {R"({"nat": "no"})", "WRONG_TYPE", "/nat"},
    {R"({"ipv6": "drop"})", "INVALID_NETWORK", "/ipv6"},
    {R"({"localNetworks": "both"})", "INVALID_NETWORK", "/localNetworks"},
    {R"({"rulePriority": 0})", "OUT_OF_RANGE", "/rulePriority"},
    {R"({"rulePriority": 32766})", "OUT_OF_RANGE", "/rulePriority"},
    // firewall
    {R"({"firewall": null})", "INVALID_FIREWALL_CONFIG", "/firewall"},
    {R"({"firewall": {"eggress": {}}})", "UNKNOWN_KEY", "/firewall/eggress"},
    {R"({"firewall": {"ingress": {"allowTarget": "ACCEPT"}}})", "UNKNOWN_KEY",
     "/firewall/ingress/allowTarget"},
    {R"({"firewall": {"egress": {"allowTarget": "DROP"}}})", "INVALID_FIREWALL_CONFIG",
     "/firewall/egress/allowTarget"},
    {R"({"firewall": {"ingress": {"rules": [{"action": "allow", "to": "1.1.1.1"}]}}})",
     "UNKNOWN_KEY", "/firewall/ingress/rules/0/to"},
    {R"({"firewall": {"egress": {"rules": [{"action": "allow", "from": "1.1.1.1"}]}}})",
     "UNKNOWN_KEY", "/firewall/egress/rules/0/from"},
    {R"({"firewall": {"egress": {"rules": [{}]}}})", "MISSING_KEY", "/firewall/egress/rules/0"},
    // wireguard
    {R"({"wireguard": null})", "INVALID_WIREGUARD_CONFIG", "/wireguard"},
    {R"({"wireguard": {}})", "INVALID_WIREGUARD_CONFIG", "/wireguard"},
    {R"({"wireguard": {"existingInterface": "wg0", "configFile": "x"}})",
     "INVALID_WIREGUARD_CONFIG", "/wireguard"},
    {R"({"wireguard": {"existingInterface": "wg0", "interfaceName": "wg1"}})",
     "INVALID_WIREGUARD_CONFIG", "/wireguard/interfaceName"},
    {R"({"wireguard": {"existingInterface": "wg0", "routeTable": 4294967296}})",
     "INVALID_WIREGUARD_CONFIG", "/wireguard/routeTable"},
    {R"({"wireguard": {"existingInterface": "svbr0"}})", "INVALID_WIREGUARD_CONFIG",
     "/wireguard/existingInterface"},
    {R"({"uplink": "wg0", "wireguard": {"existingInterface": "wg0"}})", "INVALID_WIREGUARD_CONFIG",
     "/wireguard/existingInterface"},
    {R"({"wireguard": {"existingInterface": "wg0", "failClosed": 1}})", "INVALID_WIREGUARD_CONFIG",
     "/wireguard/failClosed"},
    {R"({"wireguard": {"existingInterface": "wg0", "mtu": 1}})", "UNKNOWN_KEY", "/wireguard/mtu"},
    {R"({"wireguard": {"configFile": "missing.conf"}})", "UNREADABLE_FILE",
     "/wireguard/configFile"},
    // vms
    {R"({"vms": []})", "WRONG_TYPE", "/vms"},
    {R"({"vms": {"a": null}})", "WRONG_TYPE", "/vms/a"},
    {R"({"vms": {"": {}}})", "INVALID_NETWORK", "/vms/"},
    {R"({"vms": {"a/b": {}}})", "INVALID_NETWORK", "/vms/a~1b"},
    {R"({"vms": {"a": {"interfaces": {"x y": {}}}}})", "INVALID_NETWORK", "/vms/a/interfaces/x y"},
    {R"({"vms": {"a": {"ip": "172.30.0.5"}}})", "UNKNOWN_KEY", "/vms/a/ip"},
    {R"({"vms": {"a": {"interfaces": {"e": {"ip": "172.30.1.5"}}}}})", "INVALID_ADDRESS",
     "/vms/a/interfaces/e/ip"},
    {R"({"vms": {"a": {"interfaces": {"e": {"ip": "172.30.0.0"}}}}})", "INVALID_ADDRESS",
     "/vms/a/interfaces/e/ip"},
    {R"({"vms": {"a": {"interfaces": {"e": {"ip": "172.30.0.1"}}}}})", "INVALID_ADDRESS",
     "/vms/a/interfaces/e/ip"},
    {R"({"vms": {"a": {"interfaces": {"e": {"ip": "172.30.0.255"}}}}})", "INVALID_ADDRESS",
     "/vms/a/interfaces/e/ip"},
    {R"({"vms": {"a": {"interfaces": {"e": {"ip": "172.30.0.010"}}}}})", "INVALID_ADDRESS",
     "/vms/a/interfaces/e/ip"},
    {R"({"vms": {"a": {"interfaces": {"e": {"ip": "fd00::5"}}}}})", "INVALID_ADDRESS",
     "/vms/a/interfaces/e/ip"},
    {R"({"vms": {"a": {"interfaces": {"e": {"mac": "01:00:00:00:00:10"}}}}})", "INVALID_NETWORK",
     "/vms/a/interfaces/e/mac"},
    {R"({"vms": {"a": {"interfaces": {"e": {"tap": "a:b"}}}}})", "INVALID_INTERFACE_NAME",
     "/vms/a/interfaces/e/tap"},
    {R"({"vms": {"a": {"interfaces": {"e": {"tap": "svbr0"}}}}})", "DUPLICATE_IDENTITY",
     "/vms/a/interfaces/e/tap"},
    {R"({"vms": {"a": {"interfaces": {"e": {"owner": -1}}}}})", "OUT_OF_RANGE",
     "/vms/a/interfaces/e/owner"},
    {R"({"vms": {"a": {"interfaces": {"e": {"guestInterface": 1}}}}})", "INVALID_INTERFACE_NAME",
     "/vms/a/interfaces/e/guestInterface"},
    {R"({"vms": {"a": {"interfaces": {"e": {"guestInterface": "eth1"}, "f": {}}}}})",
     "DUPLICATE_IDENTITY", "/vms/a/interfaces/f"},
    {R"({"vms": {"a": {"interfaces": {"e": {"ip": "172.30.0.9"}, "f": {"ip": "172.30.0.9"}}}}})",
     "DUPLICATE_IDENTITY", "/vms/a/interfaces/f/ip"},
    {R"({"vms": {"a": {"interfaces": {"e": {"tap": "t"}, "f": {"tap": "t"}}}}})",
     "DUPLICATE_IDENTITY", "/vms/a/interfaces/f/tap"},
    {R"({"subnet": "10.0.0.0/29", "vms": {"a": {}, "b": {}, "c": {}, "d": {}, "e": {}, "f": {}}})",
     "IP_EXHAUSTED", "/vms/f"},
};

INSTANTIATE_TEST_SUITE_P(DecodeNetwork, BadNetworks, ::testing::ValuesIn(bad_networks));

TEST(DecodeNetwork, KeepsCommentsShortAndPlain) {
  EXPECT_THAT(
      load_rule(R"({"action": "deny", "comment": ")" + std::string(200, 'x') + "\"}").errors,
      IsEmpty());
  EXPECT_THAT(
      load_rule(R"({"action": "deny", "comment": ")" + std::string(201, 'x') + "\"}").errors,
      ElementsAre(HasSubstr("INVALID_FIREWALL_CONFIG")));
  EXPECT_THAT(load_rule(R"({"action": "deny", "comment": "a\nb"})").errors,
              ElementsAre(HasSubstr("INVALID_FIREWALL_CONFIG")));
  EXPECT_THAT(load_rule("{\"action\": \"deny\", \"comment\": \"a\\u0085b\"}").errors,
              ElementsAre(HasSubstr("INVALID_FIREWALL_CONFIG")));
}

TEST(DecodeNetwork, TakesRangesOfPortsOnlyTheRightWayRound) {
  const auto errors = [](const std::string& ports) {
    return load_rule(R"({"action": "deny", "protocol": "tcp", "ports": )" + ports + "}").errors;
  };
  for (const char* good : {"1", "65535", "[1, 2]", R"(["1-65535"])", R"(["7-7"])"}) {
    EXPECT_THAT(errors(good), IsEmpty()) << good;
  }
  for (const char* bad : {"0", "65536", "[]", R"("80")", R"(["9-8"])", R"(["0-8"])",
                          R"(["1-65536"])", R"(["1-"])", R"(["-1"])", R"(["1 -2"])", R"(["0x1-2"])",
                          R"(["01-2"])", "[[1]]", "1.5", "true", "null"}) {
    EXPECT_THAT(errors(bad), ElementsAre(HasSubstr("INVALID_FIREWALL_CONFIG"))) << bad;
  }
}

// ---- several networks ---------------------------------------------------------------------------

namespace {

std::vector<std::string> errors_of(const std::string& networks, const std::string& more = "") {
  return load_members("\"networks\": {" + networks + "}" + more).errors;
}

}  // namespace

TEST(DecodeNetworks, RefusesSubnetsThatOverlapAtTheSecondPlace) {
  EXPECT_THAT(errors_of(R"("a": {}, "b": {"subnet": "172.16.0.0/12"})"),
              ElementsAre(::testing::AllOf(HasSubstr("INVALID_SUBNET"), HasSubstr("/networks/b"),
                                           HasSubstr("172.30.0.0/24 of 'a' at a.json:2:"))));
  EXPECT_THAT(errors_of(R"("a": {}, "b": {"subnet": "172.30.1.0/24"})"), IsEmpty());
}

TEST(DecodeNetworks, RefusesASubnetThatALinkOfTheSpecHasAnAddressIn) {
  const std::string links =
      R"(, "links": {"eth0": {"kind": "physical", "addresses": ["172.30.0.6/30"]}})";
  EXPECT_THAT(errors_of(R"("a": {})", links), ElementsAre(HasSubstr("INVALID_SUBNET")));
}

TEST(DecodeNetworks, RefusesABridgeThatIsALinkOfTheSpec) {
  EXPECT_THAT(errors_of(R"("br0": {})", R"(, "links": {"br0": {"kind": "bridge"}})"),
              ElementsAre(HasSubstr("DUPLICATE_IDENTITY: 'br0' is already given at a.json:2:")));
}

TEST(DecodeNetworks, RefusesAMacGivenTwiceOnTheHost) {
  const std::string vm = R"("vms": {"v": {"interfaces": {"e": {"mac": "02:00:00:00:00:01"}}}})";
  EXPECT_THAT(errors_of("\"a\": {" + vm + R"(}, "b": {"subnet": "10.0.0.0/24", )" + vm + "}"),
              ElementsAre(::testing::AllOf(HasSubstr("DUPLICATE_IDENTITY"),
                                           HasSubstr("/networks/b/vms/v/interfaces/e/mac"))));
}

TEST(DecodeNetworks, ShareATunnelButNotATableOfAnother) {
  const auto two = [](const std::string& first, const std::string& second) {
    return errors_of("\"a\": {\"wireguard\": {" + first +
                     R"(}}, "b": {"subnet": "10.0.0.0/24", "wireguard": {)" + second + "}}");
  };
  const std::string wg0 = R"("existingInterface": "wg0")";
  const std::string wg1 = R"("existingInterface": "wg1")";
  EXPECT_THAT(two(wg0, wg0), IsEmpty());
  EXPECT_THAT(two(wg0, wg1), ElementsAre(HasSubstr("INVALID_WIREGUARD_CONFIG")));
  EXPECT_THAT(two(wg0, wg1 + R"(, "routeTable": 7)"), IsEmpty());
}

TEST(DecodeNetworks, KnowHowManyTapsABridgeTakes) {
  const auto network = [](std::size_t count) {
    std::string vms;
    for (std::size_t i = 0; i < count; ++i) {
      vms += (i == 0 ? "" : ",") + std::string("\"v") + std::to_string(i) + "\": {}";
    }
    return R"("a": {"subnet": "10.0.0.0/16", "vms": {)" + vms + "}}";
  };
  EXPECT_THAT(errors_of(network(1023)), IsEmpty());
  EXPECT_THAT(errors_of(network(1025)),
              ElementsAre(::testing::AllOf(HasSubstr("OUT_OF_RANGE"), HasSubstr("1023"),
                                           HasSubstr("/vms/v1023"))));
}

}  // namespace plumbline::spec
