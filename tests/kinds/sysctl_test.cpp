#include "plumbline/kinds/sysctl.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <map>

#include "plumbline/wire/netlink.hpp"
#include "tests/kinds/on_kernel.hpp"
#include "tests/support/netns.hpp"

namespace plumbline {
namespace {

using test::OnKernel;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// `member` is `"name": value`.
test::ReadSpec<Sysctl> read_member(const std::string& member) {
  test::ReadSpec<Sysctl> read;
  Diagnostics diagnostics;
  const TableNames tables;
  wire::Reading reading{diagnostics, tables};
  const auto document = wire::read_document("{" + member + "}", nullptr, diagnostics);
  if (document) {
    wire::Entry(*document, reading).for_each_member([&](const wire::Entry& entry) {
      read.value = Sysctl::from_spec(entry);
    });
  }
  read.errors = test::codes_of(diagnostics);
  return read;
}

Sysctl sysctl(const std::string& member) {
  const auto read = read_member(member);
  EXPECT_TRUE(read.value && read.errors.empty()) << member;
  return read.value.value_or(Sysctl{});
}

TEST(SysctlSpec, TakesBothSeparators) {
  EXPECT_EQ(sysctl(R"("net.ipv4.ip_forward": 1)"), (Sysctl{"net/ipv4/ip_forward", "1"}));
  EXPECT_EQ(sysctl(R"("net/ipv4/ip_forward": 1)"), (Sysctl{"net/ipv4/ip_forward", "1"}));
  EXPECT_EQ(sysctl(R"("net/ipv4/conf/eth0.10/rp_filter": 2)").path,
            "net/ipv4/conf/eth0.10/rp_filter");
}

TEST(SysctlSpec, TakesNumbersAndTextAndFoldsItsBlanks) {
  EXPECT_EQ(sysctl(R"("net.core.x": -1)").value, "-1");
  EXPECT_EQ(sysctl(R"("net.core.x": 18446744073709551615)").value, "18446744073709551615");
  EXPECT_EQ(sysctl(R"("net.ipv4.tcp_rmem": " 4096\t131072   6291456 ")").value,
            "4096 131072 6291456");
  EXPECT_EQ(sysctl(R"("net.core.x": "")").value, "");
  EXPECT_EQ(sysctl(R"("net.core.x": "01")").value, "01");
}

TEST(SysctlSpec, NeverLeavesTheDirectoryNet) {
  for (const char* name :
       {"kernel.hostname", "net", "net.", "net..ipv4", "net/../kernel/hostname", "net/./core/x",
        "/net/core/x", "net//core", "net/core/", "", ".", "..", "network.core.x", "net/ipv4/a b",
        "net/ipv4/a\\n", "net/ipv4/a\\u0001b", "net/ipv4/\\u00e9", "net.ipv4.route.flush"}) {
    EXPECT_THAT(read_member("\"" + std::string(name) + "\": 1").errors,
                ElementsAre(::testing::StartsWith("INVALID_SYSCTL")))
        << name;
  }
}

TEST(SysctlSpec, RefusesOtherValues) {
  const auto errors = [](const std::string& value) {
    return read_member(R"("net.core.x": )" + value).errors;
  };
  EXPECT_THAT(errors("true"), ElementsAre("WRONG_TYPE at /net.core.x"));
  EXPECT_THAT(errors("1.5"), ElementsAre("WRONG_TYPE at /net.core.x"));
  EXPECT_THAT(errors("null"), ElementsAre("WRONG_TYPE at /net.core.x"));
  EXPECT_THAT(errors("[]"), ElementsAre("WRONG_TYPE at /net.core.x"));
  EXPECT_THAT(errors("18446744073709551616"), ElementsAre("OUT_OF_RANGE at /net.core.x"));
  EXPECT_THAT(errors(R"("1\n2")"), ElementsAre("INVALID_SYSCTL at /net.core.x"));
  EXPECT_THAT(errors(R"("1\u0001")"), ElementsAre("INVALID_SYSCTL at /net.core.x"));
  EXPECT_THAT(errors('"' + std::string(4096, 'x') + '"'),
              ElementsAre("OUT_OF_RANGE at /net.core.x"));
}

TEST(SysctlKey, IsWrittenWithSlashesWhereANameHasADot) {
  EXPECT_EQ(format(Sysctl::Key{"net/ipv4/ip_forward"}), "sysctl net.ipv4.ip_forward");
  EXPECT_EQ(format(Sysctl::Key{"net/ipv4/conf/eth0.10/rp_filter"}),
            "sysctl net/ipv4/conf/eth0.10/rp_filter");
}

TEST(SysctlKey, ReadsBackAsTheSameSetting) {
  for (const std::string path : {"net/ipv4/ip_forward", "net/ipv4/conf/eth0.10/rp_filter"}) {
    const std::string name = format(Sysctl::Key{path}).substr(std::string("sysctl ").size());
    EXPECT_EQ(sysctl("\"" + name + "\": 1").path, path);
  }
}

TEST(SysctlNeeds, NamesTheLinkWhoseSettingItIs) {
  const auto needed = [](const std::string& path) { return needs(Sysctl{path, "1"}); };
  const Need eth0 = NeedsLink{*IfName::parse("eth0.10"), false};
  EXPECT_THAT(needed("net/ipv4/conf/eth0.10/rp_filter"), ElementsAre(eth0));
  EXPECT_THAT(needed("net/ipv6/conf/eth0.10/forwarding"), ElementsAre(eth0));
  EXPECT_THAT(needed("net/ipv4/neigh/eth0.10/gc_stale_time"), ElementsAre(eth0));
  EXPECT_THAT(needed("net/ipv4/conf/all/rp_filter"), IsEmpty());
  EXPECT_THAT(needed("net/ipv6/neigh/default/gc_stale_time"), IsEmpty());
  EXPECT_THAT(needed("net/ipv4/ip_forward"), IsEmpty());
  EXPECT_THAT(needed("net/netfilter/nf_conntrack_max"), IsEmpty());
}

TEST(SysctlValue, IsTakenOutOfTheSpecAsItWentIn) {
  for (const std::string value :
       {"1", "-5", "\"01\"", "\"4096 131072 6291456\"", "\"\"", "\"-\""}) {
    EXPECT_EQ(test::spec_text(sysctl("\"net.core.x\": " + value)), value);
  }
}

TEST(SysctlTransition, IsAnUpdateThatMayStopTraffic) {
  const Sysctl on{"net/ipv4/ip_forward", "1"};
  const Sysctl off{"net/ipv4/ip_forward", "0"};
  EXPECT_EQ(transition(on, on), Transition{});
  EXPECT_EQ(transition(off, on), (Transition{Change::update, Disruption::nothing}));
  EXPECT_EQ(transition(on, off), (Transition{Change::update, Disruption::traffic}));
}

TEST(SysctlSpec, KnowsTheOneSettingOfTwoNames) {
  EXPECT_EQ(sysctl("\"net.ipv4.conf.all.forwarding\": 1").path, "net/ipv4/ip_forward");
  EXPECT_EQ(sysctl("\"net.ipv6.conf.all.forwarding\": 1").path, "net/ipv6/conf/all/forwarding");
}

TEST(SysctlComplete, TakesNumbersAsTheKernelShowsThem) {
  const auto completed = [](const char* want, const char* have) {
    return complete(Sysctl{"net/core/x", want}, Sysctl{"net/core/x", have}).value;
  };
  EXPECT_EQ(completed("01", "1"), "1");
  EXPECT_EQ(completed("0x10", "16"), "16");
  EXPECT_EQ(completed("-0x1", "-1"), "-1");
  EXPECT_EQ(completed("010", "10"), "010");
  EXPECT_EQ(completed("08", "8"), "08");
  EXPECT_EQ(completed("0x2", "1"), "0x2");
  EXPECT_EQ(completed("1 0x2", "1 2 3"), "1 2 3");
  EXPECT_EQ(completed("1 5", "1 2 3"), "1 5 3");
  EXPECT_EQ(completed("1 2 3", "1 2"), "1 2 3");
  EXPECT_EQ(completed("reno", "reno cubic"), "reno");
  EXPECT_EQ(completed("", "1"), "");
  EXPECT_EQ(completed("1", ""), "1");
}

TEST(SysctlDecode, GivesNothingForWhatIsAbsentAndRefusesOtherFailures) {
  std::vector<Sysctl> out;
  const wire::Request query = wire::SysctlRead{"net/core/x"};
  Sysctl::decode(query, {ENOENT, "", {}, {}}, {}, out);
  EXPECT_THAT(out, IsEmpty());
  EXPECT_THROW(Sysctl::decode(query, {EACCES, "", {}, {}}, {}, out), wire::Malformed);
  Sysctl::decode(query, {0, "", "4096\t131072\t6291456", {}}, {}, out);
  EXPECT_THAT(out, ElementsAre(Sysctl{"net/core/x", "4096 131072 6291456"}));
}

// ---- on the real kernel

TEST(SysctlWithoutIpv6, OfALinkSomethingHolds) {
  EXPECT_EQ(value_without_ipv6("net/ipv6/conf/br0/disable_ipv6"), "1");
  EXPECT_EQ(value_without_ipv6("net/ipv6/conf/br0/accept_ra"), "0");
  for (const char* const path : {"net/ipv6/conf/br0/forwarding", "net/ipv6/conf/all/disable_ipv6",
                                 "net/ipv4/conf/br0/accept_ra", "net/ipv6/neigh/br0/accept_ra"}) {
    EXPECT_EQ(value_without_ipv6(path), std::nullopt) << path;
  }
}

class SysctlOnKernel : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    test::ip("link add d0 type ifb");
    test::ip("link add d.1 type ifb");
  }
};

TEST_F(SysctlOnKernel, IsWrittenAndReadBack) {
  OnKernel kernel;
  const Sysctl forward{"net/ipv4/ip_forward", "1"};
  const Sysctl range{"net/ipv4/ip_local_port_range", "20000 30000"};
  const Sysctl link{"net/ipv4/conf/d.1/rp_filter", "2"};
  const Sysctl absent{"net/ipv4/conf/nowhere/rp_filter", "2"};
  const Scope scope{{forward.path, range.path, link.path, absent.path}};
  for (const Sysctl& want : {forward, range, link}) {
    EXPECT_EQ(kernel.send(create(want, kernel.links())), "");
  }
  EXPECT_THAT(kernel.observe<Sysctl>(scope), ElementsAre(forward, range, link));
  EXPECT_NE(kernel.send(create(absent, kernel.links())), "");
  EXPECT_EQ(kernel.change(forward, {forward.path, "0"}), "");
  EXPECT_THAT(kernel.observe<Sysctl>({{forward.path}}), ElementsAre(Sysctl{forward.path, "0"}));
  EXPECT_THAT(remove(forward, kernel.links()), IsEmpty());
}

/// A text that was there can be emptied again: an empty value is one too.
TEST_F(SysctlOnKernel, CanBeEmpty) {
  OnKernel kernel;
  const Sysctl ports{"net/ipv4/ip_local_reserved_ports", "8080"};
  const Sysctl none{ports.path, ""};
  EXPECT_THAT(kernel.observe<Sysctl>({{ports.path}}), ElementsAre(none));
  EXPECT_EQ(kernel.change(none, ports), "");
  EXPECT_THAT(kernel.observe<Sysctl>({{ports.path}}), ElementsAre(ports));
  EXPECT_EQ(kernel.change(ports, none), "");
  EXPECT_THAT(kernel.observe<Sysctl>({{ports.path}}), ElementsAre(none));
}

/// Every setting below net/ipv4/conf, net/ipv6/conf and net/ipv4/ip_forward, by its path.
std::map<std::string, std::string> settings(OnKernel& kernel) {
  Scope scope{{"net/ipv4/ip_forward"}};
  for (const std::string family : {"ipv4", "ipv6"}) {
    for (const std::string where : {"all", "default", "lo", "d0", "d.1"}) {
      const std::string directory = "net/" + family + "/conf/" + where + '/';
      for (const char* name : {"accept_redirects", "accept_ra", "addr_gen_mode", "arp_filter",
                               "disable_ipv6", "force_forwarding", "forwarding", "rp_filter",
                               "ignore_routes_with_linkdown", "send_redirects", "proxy_ndp"}) {
        scope.sysctls.push_back(directory + name);
      }
    }
  }
  std::map<std::string, std::string> values;
  for (const Sysctl& found : kernel.observe<Sysctl>(scope)) values[found.path] = found.value;
  return values;
}

/// One variable of two names.
bool is_forwarding(std::string_view path) {
  return path == "net/ipv4/ip_forward" || path == "net/ipv4/conf/all/forwarding";
}

/// What one write changed besides, and was not announced; and what `must` says it changed.
TEST_F(SysctlOnKernel, AnnouncesEverythingThatTheKernelChangesAlong) {
  OnKernel kernel;
  const std::vector<IfName> links{*IfName::parse("lo"), *IfName::parse("d0"),
                                  *IfName::parse("d.1")};
  for (const char* path :
       {"net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding", "net/ipv4/conf/default/forwarding",
        "net/ipv4/conf/default/rp_filter", "net/ipv4/conf/default/arp_filter",
        "net/ipv4/conf/all/rp_filter", "net/ipv6/conf/all/forwarding",
        "net/ipv4/conf/d0/forwarding", "net/ipv6/conf/default/forwarding",
        "net/ipv6/conf/all/disable_ipv6", "net/ipv6/conf/default/disable_ipv6",
        "net/ipv6/conf/all/addr_gen_mode", "net/ipv6/conf/all/ignore_routes_with_linkdown",
        "net/ipv6/conf/all/accept_ra", "net/ipv6/conf/all/proxy_ndp",
        "net/ipv6/conf/all/force_forwarding"}) {
    SCOPED_TRACE(path);
    const auto start = settings(kernel);
    if (!start.contains(path)) continue;
    const Sysctl on{path, start.at(path) == "0" ? "1" : "0"};
    ASSERT_EQ(kernel.send(create(on, kernel.links())), "") << path;
    std::vector<std::string> changed;
    for (const auto& [name, value] : settings(kernel)) {
      const bool itself = name == path || (is_forwarding(name) && is_forwarding(path));
      if (value != start.at(name) && !itself) changed.push_back(name);
    }
    const auto announced = changed_along(on, links);
    EXPECT_THAT(announced, ::testing::IsSupersetOf(changed)) << path;
    EXPECT_EQ(announced.empty(), changed.empty()) << path;
    for (const std::string& name : changed) {
      EXPECT_EQ(value_along(on, name), settings(kernel).at(name)) << name;
    }

    ASSERT_EQ(kernel.send(create({path, start.at(path)}, kernel.links())), "") << path;
    for (const std::string& name : announced) {
      if (start.contains(name)) {
        ASSERT_EQ(kernel.send(create({name, start.at(name)}, kernel.links())), "") << name;
      }
    }
    EXPECT_EQ(settings(kernel), start) << path;
  }
}

}  // namespace
}  // namespace plumbline
