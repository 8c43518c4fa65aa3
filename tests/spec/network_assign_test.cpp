// Who gets which address, MAC and TAP: what is given, what was, what is free.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "plumbline/spec/assignments.hpp"
#include "tests/spec/loaded.hpp"

namespace plumbline::spec {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace {

IfName name(std::string_view text) { return *IfName::parse(text); }

/// What assign() makes of the entries of `networks`, and what it says.
struct Assigned {
  std::vector<AssignedNetwork> networks;
  Diagnostics diagnostics;

  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const AssignedNetwork& network : networks) {
      for (const AssignedInterface& interface : network.interfaces) {
        lines.push_back(format(assignment_of(network, interface)) + "," + format(interface.tap));
      }
    }
    return lines;
  }
};

/// There is a way out, so that nothing warns.
Facts with_uplink() {
  Facts facts;
  facts.defaults.push_back({main_table, 0, RouteType::unicast, {name("up0")}});
  return facts;
}

Assigned assign_members(const std::string& members, const Facts& facts = with_uplink()) {
  const Loaded loaded = load_members(members);
  EXPECT_THAT(loaded.errors, IsEmpty());
  Assigned assigned;
  assigned.networks = assign(loaded.spec, facts, assigned.diagnostics);
  return assigned;
}

Assigned assign_vms(const std::string& vms, const Facts& facts = with_uplink()) {
  return assign_members(R"("networks": {"br0": {"subnet": "10.0.0.0/24", "vms": {)" + vms + "}}}",
                        facts);
}

/// What the kernel tells after `assigned` was applied.
Facts after(const Assigned& assigned, Facts facts = with_uplink()) {
  facts.assignments = assignments_of(assigned.networks);
  return facts;
}

std::string ip_of(const Assigned& assigned, std::size_t at) {
  return format(assigned.networks.at(0).interfaces.at(at).ip);
}

std::string tap_of(const Assigned& assigned, std::size_t at) {
  return format(assigned.networks.at(0).interfaces.at(at).tap);
}

}  // namespace

// ---- new ones -----------------------------------------------------------------------------------

TEST(Assign, GivesTheLowestFreeAddressInTheOrderOfTheSpec) {
  const Assigned assigned = assign_vms(
      R"("z": {}, "a": {"interfaces": {"eth1": {"ip": "10.0.0.3"}, "eth0": {}}}, "m": {})");
  EXPECT_THAT(assigned.lines(),
              ElementsAre("br0/z/eth0,10.0.0.2/24,02:" + format(guest_mac("z", "eth0")).substr(3) +
                              ",eth0,svzeth0",
                          HasSubstr("br0/a/eth1,10.0.0.3/24"), HasSubstr("br0/a/eth0,10.0.0.4/24"),
                          HasSubstr("br0/m/eth0,10.0.0.5/24")));
  EXPECT_EQ(format(assigned.networks[0].gateway), "10.0.0.1");
  EXPECT_THAT(assigned.diagnostics.warnings, IsEmpty());
}

TEST(Assign, SaysWhatTheGuestsKernelIsTold) {
  const Assigned assigned = assign_vms(R"("a": {"interfaces": {"x": {}, "y": {}}})");
  const AssignedNetwork& network = assigned.networks[0];
  EXPECT_EQ(boot_args(assignment_of(network, network.interfaces[1])),
            "ip=10.0.0.3::10.0.0.1:255.255.255.0::eth1:off");
}

TEST(Assign, TakesAnotherNameWhereTheFirstIsTaken) {
  const Assigned two = assign_vms(R"("vm-100": {}, "vm-101": {})");
  EXPECT_EQ(tap_of(two, 0), "svvm10eth0");
  EXPECT_EQ(tap_of(two, 1), format(tap_name("vm-101", "eth0", 1)));

  Facts facts = with_uplink();
  facts.links.push_back({name("svvm10eth0"), LinkKind::dummy, 1500});
  EXPECT_EQ(tap_of(assign_vms(R"("vm-100": {})", facts), 0), format(tap_name("vm-100", "eth0", 1)))
      << "somebody else's link";

  const Assigned linked = assign_members(
      R"("links": {"svvm10eth0": {"kind": "tap"}}, "networks": {"br0": {"vms": {"vm-100": {}}}})");
  EXPECT_EQ(tap_of(linked, 0), format(tap_name("vm-100", "eth0", 1))) << "a link of the spec";
}

TEST(Assign, GivesNoGuestTheTapThatAnotherHadHoweverTheNamesFall) {
  const Facts facts = after(assign_vms(R"("vm-100": {})"));
  EXPECT_EQ(tap_of(assign_vms(R"("vm-101": {})", facts), 0), format(tap_name("vm-101", "eth0", 1)));
}

TEST(Assign, KeepsTheTapOfAGuestThatMovesToAnotherNetwork) {
  const std::string other = R"("networks": {"br1": {"subnet": "10.1.0.0/24", "vms": {"a": {}}}})";
  const Assigned moved = assign_members(other, after(assign_vms(R"("a": {})")));
  EXPECT_THAT(moved.lines(), ElementsAre(HasSubstr("br1/a/eth0,10.1.0.2/24")));
  EXPECT_EQ(tap_of(moved, 0), "svaeth0");
}

TEST(Assign, TellsCollidingMacsApart) {
  const Assigned assigned = assign_vms(R"("AaAa": {}, "AaBB": {}, "BBBB": {})");
  std::set<Mac> macs;
  for (const AssignedInterface& interface : assigned.networks[0].interfaces) {
    EXPECT_TRUE(macs.insert(interface.mac).second) << format(interface.mac);
  }
  EXPECT_EQ(format(assigned.networks[0].interfaces[0].mac), "02:71:4c:0e:19:23");
}

TEST(Assign, DoesNotDependOnTheOrderOfNetworks) {
  const std::string one = R"("a": {"subnet": "10.1.0.0/24", "vms": {"vm-100": {}}})";
  const std::string two = R"("b": {"subnet": "10.2.0.0/24", "vms": {"vm-101": {}}})";
  EXPECT_EQ(assign_members("\"networks\": {" + one + "," + two + "}").lines(),
            assign_members("\"networks\": {" + two + "," + one + "}").lines());
}

TEST(Assign, GivesTenThousandGuestsTenThousandNames) {
  std::string networks;
  for (int n = 0; n < 10; ++n) {
    networks += (n == 0 ? "" : ",") + std::string("\"br") + std::to_string(n) +
                R"(": {"subnet": "10.)" + std::to_string(n) + R"(.0.0/16", "vms": {)";
    for (int i = 0; i < 1000; ++i) {
      networks +=
          (i == 0 ? "" : ",") + std::string("\"vm-") + std::to_string(n * 1000 + i) + "\": {}";
    }
    networks += "}}";
  }
  const Assigned assigned = assign_members("\"networks\": {" + networks + "}");
  std::set<IfName> taps;
  std::set<Mac> macs;
  std::set<IpAddress> ips;
  for (const AssignedNetwork& network : assigned.networks) {
    for (const AssignedInterface& interface : network.interfaces) {
      taps.insert(interface.tap);
      macs.insert(interface.mac);
      ips.insert(interface.ip);
    }
  }
  EXPECT_THAT(taps, SizeIs(10'000));
  EXPECT_THAT(macs, SizeIs(10'000));
  EXPECT_THAT(ips, SizeIs(10'000));
}

// ---- sticky ones --------------------------------------------------------------------------------

TEST(Assign, KeepsWhatWasWhateverElseComesAndGoes) {
  const Assigned first = assign_vms(R"("a": {}, "b": {}, "c": {})");
  EXPECT_EQ(ip_of(first, 1), "10.0.0.3");
  const Assigned second = assign_vms(R"("new": {}, "c": {}, "b": {})", after(first));
  EXPECT_EQ(ip_of(second, 0), "10.0.0.2") << "that of `a` is free";
  EXPECT_EQ(ip_of(second, 1), "10.0.0.4");
  EXPECT_EQ(ip_of(second, 2), "10.0.0.3");
  EXPECT_THAT(second.diagnostics.warnings, IsEmpty());
  EXPECT_FALSE(second.networks[0].interfaces[1].reassigned);
}

TEST(Assign, LetsAnExplicitValueBeatAStickyOne) {
  const Facts facts = after(assign_vms(R"("a": {}, "b": {})"));
  const Assigned assigned = assign_vms(
      R"("a": {}, "b": {}, "c": {"interfaces": {"eth0":
         {"ip": "10.0.0.2", "tap": "svbeth0", "mac": ")" +
          format(guest_mac("a", "eth0")) + R"("}}})",
      facts);
  EXPECT_EQ(ip_of(assigned, 0), "10.0.0.4") << "10.0.0.3 is kept by `b`";
  EXPECT_EQ(ip_of(assigned, 1), "10.0.0.3");
  EXPECT_EQ(ip_of(assigned, 2), "10.0.0.2");
  EXPECT_EQ(tap_of(assigned, 1), format(tap_name("b", "eth0", 1)));
  EXPECT_EQ(assigned.networks[0].interfaces[0].mac, guest_mac("a", "eth0", 1));
  EXPECT_TRUE(assigned.networks[0].interfaces[0].reassigned);
  EXPECT_TRUE(assigned.networks[0].interfaces[1].reassigned);
  EXPECT_FALSE(assigned.networks[0].interfaces[2].reassigned);
  ASSERT_THAT(assigned.diagnostics.warnings, SizeIs(2));
  EXPECT_EQ(assigned.diagnostics.warnings[0].code, Code::reassigned);
  EXPECT_THAT(assigned.diagnostics.warnings[0].message,
              HasSubstr("the address 10.0.0.4 instead of 10.0.0.2"));
}

TEST(Assign, StartsAnewInASubnetOfAnotherSize) {
  const Facts facts = after(assign_vms(R"("a": {"interfaces": {"eth0": {"ip": "10.0.0.9"}}})"));
  const Assigned same = assign_vms(R"("a": {})", facts);
  EXPECT_EQ(ip_of(same, 0), "10.0.0.9") << "a pin that is taken out again changes nothing";
  const Assigned larger =
      assign_members(R"("networks": {"br0": {"subnet": "10.0.0.0/16", "vms": {"a": {}}}})", facts);
  EXPECT_EQ(ip_of(larger, 0), "10.0.0.2");
  EXPECT_TRUE(larger.networks[0].interfaces[0].reassigned);
  EXPECT_EQ(tap_of(larger, 0), tap_of(same, 0)) << "only addresses are assigned anew";
}

TEST(Assign, TrustsNoAliasThatSaysNonsense) {
  Facts facts = with_uplink();
  const auto text = [](const char* ip, const char* mac) {
    return Assignment{
        name("br0"),      "a",   "eth0", name("svaeth0"), *InterfaceAddress::parse(ip),
        *Mac::parse(mac), "eth0"};
  };
  for (const char* ip : {"10.0.0.1/24", "10.0.0.0/24", "10.0.0.255/24", "10.9.0.5/24"}) {
    facts.assignments = {text(ip, "03:00:00:00:00:01")};
    const Assigned assigned = assign_vms(R"("a": {})", facts);
    EXPECT_EQ(ip_of(assigned, 0), "10.0.0.2") << ip;
    EXPECT_EQ(assigned.networks[0].interfaces[0].mac, guest_mac("a", "eth0"));
  }
}

// ---- properties ---------------------------------------------------------------------------------

namespace {

/// Some guests of two networks, each with a chance of an explicit address.
struct Site {
  std::vector<std::set<int>> guests{{}, {}};

  [[nodiscard]] std::string members() const {
    std::string text = "\"networks\": {";
    for (std::size_t n = 0; n < guests.size(); ++n) {
      text += (n == 0 ? "" : ",") + std::string("\"br") + std::to_string(n) +
              R"(": {"subnet": "10.)" + std::to_string(n) + R"(.0.0/26", "vms": {)";
      bool first = true;
      for (const int guest : guests[n]) {
        text += (first ? "" : ",") + std::string("\"vm-1") + std::to_string(guest) + "\": {}";
        first = false;
      }
      text += "}}";
    }
    return text + "}";
  }
};

std::map<std::string, std::string> by_guest(const Assigned& assigned) {
  std::map<std::string, std::string> lines;
  for (const std::string& line : assigned.lines()) {
    lines.emplace(line.substr(0, line.find(',')), line);
  }
  return lines;
}

void expect_no_duplicates(const Assigned& assigned) {
  std::set<IfName> taps;
  std::set<Mac> macs;
  std::set<IpAddress> ips;
  for (const AssignedNetwork& network : assigned.networks) {
    for (const AssignedInterface& interface : network.interfaces) {
      RC_ASSERT(taps.insert(interface.tap).second);
      RC_ASSERT(macs.insert(interface.mac).second);
      RC_ASSERT(ips.insert(interface.ip).second);
    }
  }
}

}  // namespace

TEST(Assign, NeverChangesTheOthersNorGivesAnythingTwice) {
  EXPECT_TRUE(rc::check([] {
    Site site;
    Assigned before = assign_members(site.members());
    for (int step = 0; step < 12; ++step) {
      auto& guests = site.guests[*rc::gen::inRange<std::size_t>(0, 2)];
      const int guest = *rc::gen::inRange(0, 40);
      if (!guests.erase(guest)) guests.insert(guest);
      const Facts facts = after(before);
      const Assigned now = assign_members(site.members(), facts);
      RC_ASSERT(now.diagnostics.errors.empty() && now.diagnostics.warnings.empty());
      expect_no_duplicates(now);
      const auto had = by_guest(before);
      for (const auto& [id, line] : by_guest(now)) {
        const auto earlier = had.find(id);
        RC_ASSERT(earlier == had.end() || earlier->second == line);
      }
      RC_ASSERT(assign_members(site.members(), after(now)).lines() == now.lines());
      before = now;
    }
  }));
}

// ---- as text ------------------------------------------------------------------------------------

TEST(AssignmentText, ComesBackAsItWas) {
  const Assigned assigned = assign_vms(R"("a": {})");
  const Assignment assignment =
      assignment_of(assigned.networks[0], assigned.networks[0].interfaces[0]);
  EXPECT_EQ(parse_assignment(format(assignment), assignment.tap), assignment);
}

TEST(AssignmentText, IsNothingWhenItIsAnythingElse) {
  for (const char* text :
       {"", "br0", "br0/a/eth0", "br0/a/eth0,10.0.0.2,02:00:00:00:00:01,eth0",
        "br0/a/eth0,10.0.0.2/24,02:00:00:00:00:01", "br0/a/eth0,10.0.0.2/24,02:00:00:00:00:01,",
        "br0/a/eth0,10.0.0.2/24", "br0/a/eth0,10.0.0.2/24,02:00,eth0",
        "//,10.0.0.2/24,02:00:00:00:00:01,eth0", "br0/a/eth0,fd00::2/64,02:00:00:00:00:01,eth0",
        "br0/a/eth0,10.0.0.2/24,02:00:00:00:00:01,e/0"}) {
    EXPECT_EQ(parse_assignment(text, name("t")), std::nullopt) << text;
  }
}

// ---- the host -----------------------------------------------------------------------------------

TEST(AssignOnAHost, RefusesASubnetTheHostHasANetworkIn) {
  Facts facts = with_uplink();
  facts.networks.push_back({*Prefix::parse("10.0.0.0/8"), name("eth0"), true});
  EXPECT_THAT(assign_vms("", facts).diagnostics.errors, SizeIs(1));
  facts.networks[0].connected = false;
  EXPECT_THAT(assign_vms("", facts).diagnostics.errors, IsEmpty()) << "a route to more than that";
  facts.networks[0].network = *Prefix::parse("10.0.0.128/25");
  const Assigned inside = assign_vms("", facts);
  ASSERT_THAT(inside.diagnostics.errors, SizeIs(1)) << "a route that takes guests away";
  EXPECT_EQ(inside.diagnostics.errors[0].code, Code::invalid_subnet);
  facts.networks[0].link = name("br0");
  EXPECT_THAT(assign_vms("", facts).diagnostics.errors, IsEmpty()) << "its own bridge";
}

TEST(AssignOnAHost, FollowsAllDefaultRoutes) {
  Facts facts;
  facts.defaults.push_back({main_table, 0, RouteType::unicast, {name("eth1"), name("eth2")}});
  facts.defaults.push_back({main_table, 7, RouteType::unicast, {name("eth0")}});
  facts.defaults.push_back({TableId{7}, 0, RouteType::unicast, {name("eth9")}});
  facts.defaults.push_back({main_table, 9, RouteType::unreachable, {}});
  const Assigned assigned = assign_members(
      R"("routes": [{"to": "default", "dev": "eth3"}], "networks": {"br0": {}})", facts);
  EXPECT_THAT(assigned.networks[0].uplinks,
              ElementsAre(name("eth0"), name("eth1"), name("eth2"), name("eth3")));
  const Assigned fixed = assign_members(R"("networks": {"br0": {"uplink": "eth5"}})", facts);
  EXPECT_THAT(fixed.networks[0].uplinks, ElementsAre(name("eth5")));
}

TEST(AssignOnAHost, WarnsWhereThereIsNoWayOut) {
  const Assigned assigned = assign_vms("", Facts());
  EXPECT_THAT(assigned.diagnostics.errors, IsEmpty());
  EXPECT_THAT(assigned.diagnostics.warnings, SizeIs(1));
}

TEST(AssignOnAHost, WarnsWhereTheUplinkIsNeitherThereNorMade) {
  const auto warnings = [](const std::string& links, const Facts& facts) {
    return assign_members(links + R"("networks": {"br0": {"uplink": "eth5"}})", facts)
        .diagnostics.warnings;
  };
  Facts facts = with_uplink();
  const auto missing = warnings("", facts);
  ASSERT_THAT(missing, SizeIs(1));
  EXPECT_THAT(missing[0].message, HasSubstr("'eth5' of 'br0' is not on this host"));
  EXPECT_THAT(warnings(R"("links": {"eth5": {"kind": "ifb"}}, )", facts), IsEmpty());
  EXPECT_THAT(warnings(R"("links": {"v0": {"kind": "veth", "veth": {"peer": "eth5"}}}, )", facts),
              IsEmpty());
  facts.links.push_back({name("eth5"), LinkKind::physical, 1500});
  EXPECT_THAT(warnings("", facts), IsEmpty());
}

TEST(AssignOnAHost, RefusesATunnelThatIsAnUplinkOrABridge) {
  const std::string members = R"("networks": {"br0": {"wireguard": {"existingInterface": "wg0"}}})";
  Facts facts = with_uplink();
  EXPECT_THAT(assign_members(members, facts).diagnostics.errors, IsEmpty());
  facts.links.push_back({name("wg0"), LinkKind::bridge, 1500});
  EXPECT_THAT(assign_members(members, facts).diagnostics.errors, SizeIs(1));
  facts.links.clear();
  facts.defaults[0].links = {name("wg0")};
  const Assigned assigned = assign_members(members, facts);
  ASSERT_THAT(assigned.diagnostics.errors, SizeIs(1));
  EXPECT_EQ(assigned.diagnostics.errors[0].code, Code::invalid_wireguard_config);
}

TEST(FactsOfAHost, HoldNothingOfOursButAssignments) {
  State have;
  const auto link = [&](const char* text, bool ours, LinkKind kind) -> Link& {
    Link& made = have.of<Link>().emplace_back();
    made.name = name(text);
    made.kind = kind;
    made.marked = ours;
    made.mtu = 1500;
    return made;
  };
  link("br0", true, LinkKind::bridge);
  link("eth0", false, LinkKind::physical);
  link("svaeth0", true, LinkKind::tap).assignment = "br0/a/eth0,10.0.0.2/24,02:00:00:00:00:01,eth0";
  const auto address = [&](const char* on, const char* text, std::uint8_t protocol) {
    Address& made = have.of<Address>().emplace_back();
    made.link = name(on);
    made.local = *InterfaceAddress::parse(text);
    made.protocol = protocol;
  };
  address("br0", "10.0.0.1/24", 0);
  address("eth0", "192.0.2.10/24", 0);
  address("eth0", "198.51.100.1/24", 112);
  address("eth0", "fd00::1/64", 0);
  const auto route = [&](const char* to, const char* dev, std::uint8_t protocol) {
    Route& made = have.of<Route>().emplace_back();
    made.to = *Prefix::parse(to);
    made.protocol = protocol;
    made.nexthops.push_back({{}, name(dev)});
  };
  route("0.0.0.0/0", "eth0", 3);
  route("0.0.0.0/0", "eth1", 112);
  route("10.8.0.0/16", "eth0", 3);
  route("10.9.0.0/16", "eth0", 112);
  route("192.0.2.0/24", "eth0", 2);
  have.sort();

  const Assignment missing{name("br0"),
                           "b",
                           "eth0",
                           name("svbeth0"),
                           *InterfaceAddress::parse("10.0.0.3/24"),
                           *Mac::parse("02:00:00:00:00:02"),
                           "eth0"};
  Assignment stale = missing;
  stale.vm = "a";
  const Facts facts = facts_of(have, {stale, missing}, Mark());
  ASSERT_THAT(facts.assignments, SizeIs(2));
  EXPECT_EQ(format(facts.assignments[0].tap), "svaeth0") << "what is there beats the copy";
  EXPECT_EQ(facts.assignments[1], missing);
  ASSERT_THAT(facts.links, SizeIs(1));
  EXPECT_EQ(facts.links[0], (HostLink{name("eth0"), LinkKind::physical, 1500}));
  EXPECT_THAT(facts.networks,
              ElementsAre(HostNetwork{*Prefix::parse("10.8.0.0/16"), name("eth0"), false},
                          HostNetwork{*Prefix::parse("192.0.2.0/24"), name("eth0"), true}));
  ASSERT_THAT(facts.defaults, SizeIs(1));
  EXPECT_THAT(facts.defaults[0].links, ElementsAre(name("eth0")));
}

}  // namespace plumbline::spec
