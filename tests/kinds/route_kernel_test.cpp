// Routes on the real kernel, in network namespaces of the tests' own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <thread>

#include "plumbline/kinds/route.hpp"
#include "tests/kinds/on_kernel.hpp"
#include "tests/support/netns.hpp"

namespace plumbline {
namespace {

using test::ip;
using test::OnKernel;
using test::wanted;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RouteOnKernel : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    test::bring_up_loopback();
    for (const std::string link : {"d0", "d1"}) {
      ip("link add " + link + " type ifb");
      ip("link set " + link + " up");
    }
    ip("addr add 10.0.0.1/24 dev d0");
    ip("addr add 10.0.1.1/24 dev d1");
    ip("-6 addr add fd00::1/64 dev d0 nodad");
    ip("-6 addr add fd01::1/64 dev d1 nodad");
    wait_for_local_routes();
  }

 private:
  /// IPv6 addresses come into use, and so get their routes, a little after they were added
  /// (net/ipv6/addrconf.c, addrconf_dad_work()).
  static void wait_for_local_routes() {
    for (int tries = 0; tries < 200; ++tries) {
      const std::string local = ip("-6 route show table local type local");
      const auto lines = std::ranges::count(local, '\n');
      if (lines == 5) return;  // ::1, and two of each link
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL() << "the addresses did not come into use: " << ip("-6 route show table local");
  }
};

/// Everything of the namespace's routes that is not ours, as ip(8) sees it.
std::string strangers() {
  std::string lines;
  for (const std::string family : {"-4", "-6"}) {
    std::istringstream all(ip(family + " -details route show table all"));
    for (std::string line; std::getline(all, line);) {
      const bool is_nexthop = line.starts_with('\t');
      if (line.find("proto 112") == std::string::npos && !is_nexthop) lines += line + '\n';
    }
  }
  return lines;
}

const std::vector<std::string>& ipv4_routes() {
  static const std::vector<std::string> routes{
      R"({"to": "10.50.0.0/16", "dev": "d0"})",
      R"({"to": "10.50.0.0/16", "dev": "d1"})",
      R"({"to": "10.50.0.0/16", "dev": "d0", "scope": "global", "src": "10.0.1.1"})",
      R"({"to": "10.50.0.0/16", "via": "10.0.0.2", "dev": "d0"})",
      R"({"to": "10.50.0.0/16", "via": "10.0.0.3"})",
      R"({"to": "10.50.0.0/16", "via": "10.0.0.2", "scope": "site", "mtu": 1400, "advmss": 1300})",
      R"({"to": "10.50.0.0/16", "via": "10.0.0.2", "dev": "d0", "mtu": 1300})",
      R"({"to": "10.50.0.0/16", "via": "10.77.0.1", "dev": "d0", "onlink": true})",
      R"({"to": "10.50.0.0/16", "via": "fd00::2", "dev": "d0"})",
      R"({"to": "10.50.0.0/16", "via": "fe80::2", "dev": "d1"})",
      R"({"to": "10.50.0.0/16", "nexthops": [{"via": "10.0.0.2"}, {"via": "10.0.1.2", "dev": "d1", "weight": 256}]})",
      R"({"to": "10.50.0.0/16", "nexthops": [{"via": "10.0.0.2"}, {"dev": "d1", "weight": 3}, {"via": "fd01::2", "dev": "d1"}]})",
      R"({"to": "10.50.0.0/16", "nexthops": [{"via": "10.77.0.1", "dev": "d0", "onlink": true}, {"via": "10.0.1.2"}], "src": "10.0.0.1", "mtu": 1280})",
      R"({"to": "10.50.0.0/16", "type": "blackhole"})",
      R"({"to": "10.50.0.0/16", "type": "unreachable"})",
      R"({"to": "10.50.0.0/16", "type": "prohibit", "scope": 100})",
      R"({"to": "10.50.0.0/16", "type": "local", "dev": "lo", "table": "main"})",
  };
  return routes;
}

const std::vector<std::string>& ipv6_routes() {
  static const std::vector<std::string> routes{
      R"({"to": "fd50::/64", "dev": "d0"})",
      R"({"to": "fd50::/64", "dev": "d1", "src": "fd00::1"})",
      R"({"to": "fd50::/64", "via": "fd00::2", "dev": "d0"})",
      R"({"to": "fd50::/64", "via": "fd00::3"})",
      R"({"to": "fd50::/64", "via": "fe80::2", "dev": "d1", "mtu": 1400, "advmss": 1300})",
      R"({"to": "fd50::/64", "via": "fd77::1", "dev": "d0", "onlink": true})",
      R"({"to": "fd50::/64", "nexthops": [{"via": "fd00::2"}, {"via": "fd01::2", "dev": "d1", "weight": 256}]})",
      R"({"to": "fd50::/64", "nexthops": [{"via": "fd00::2"}, {"via": "fd00::3"}, {"via": "fe80::2", "dev": "d1", "weight": 7}]})",
      R"({"to": "fd50::/64", "nexthops": [{"via": "fd01::2"}, {"via": "fd01::3"}], "src": "fd00::1", "mtu": 1400})",
      R"({"to": "fd50::/64", "type": "blackhole"})",
      R"({"to": "fd50::/64", "type": "unreachable"})",
      R"({"to": "fd50::/64", "type": "prohibit"})",
      R"({"to": "fd50::/64", "type": "local", "dev": "lo", "table": "main"})",
  };
  return routes;
}

/// Routes of others that differ from ours in one part of the identity each.
void add_strangers() {
  ip("route add 10.50.0.0/16 dev d1 metric 7");
  ip("route add 10.50.0.0/16 dev d1 tos 0x10 proto 50");
  ip("route add 10.50.0.0/16 via 10.0.0.9 table 500 proto 50");
  ip("route add 10.50.0.0/17 via 10.0.0.9 proto 113");
  ip("-6 route add fd50::/64 dev d1 metric 7");
  ip("-6 route add fd50::/64 via fd00::9 metric 2000 proto 50");
  ip("-6 route add fd50::/64 via fd00::9 table 500 proto 50");
  ip("-6 route add blackhole fd50::/65 proto 113");
}

std::vector<std::string> all_routes() {
  auto all = ipv4_routes();
  all.insert(all.end(), ipv6_routes().begin(), ipv6_routes().end());
  for (const char* more : {
           R"({"to": "default", "via": "10.0.0.2", "table": 51820, "metric": 4294967295})",
           R"({"to": "default", "type": "unreachable", "metric": 4294967295})",
           R"({"to": "default", "family": "inet6", "type": "unreachable", "metric": 4294967295})",
           R"({"to": "default", "family": "inet6", "dev": "d0", "table": 4294967295})",
           R"({"to": "10.50.0.0/16", "dev": "d0", "tos": "0xfc", "metric": 5})",
           R"({"to": "10.51.0.1/32", "type": "local", "dev": "d0"})",
           R"({"to": "fd51::1/128", "type": "local", "dev": "d0"})",
           R"({"to": "fd50::/64", "dev": "d0", "metric": 1})",
       }) {
    all.emplace_back(more);
  }
  return all;
}

TEST_F(RouteOnKernel, EveryRouteIsMadeSeenAsWantedAndRemoved) {
  add_strangers();
  OnKernel kernel;
  const std::string before = strangers();
  for (const std::string& text : all_routes()) {
    const Route want = wanted<Route>(text);
    ASSERT_EQ(kernel.send(create(want, kernel.links())), "") << text;
    const auto made = kernel.ours<Route>();
    ASSERT_EQ(made.size(), 1U) << text;
    EXPECT_EQ(key(made.front()), key(want));
    EXPECT_EQ(complete(want, made.front()), made.front()) << text << test::spec_text(made.front());
    EXPECT_NE(kernel.send(create(want, kernel.links())), "") << "made twice: " << text;
    EXPECT_EQ(kernel.send(remove(made.front(), kernel.links())), "") << text;
    EXPECT_THAT(kernel.ours<Route>(), IsEmpty()) << text;
    // As the undoing of a create has it: the value of the spec, not the observed one.
    EXPECT_EQ(kernel.send(create(want, kernel.links())), "") << text;
    EXPECT_EQ(kernel.send(remove(want, kernel.links())), "") << text;
    EXPECT_THAT(kernel.ours<Route>(), IsEmpty()) << text;
  }
  EXPECT_EQ(strangers(), before);
}

void every_pair(const std::vector<std::string>& texts) {
  OnKernel kernel;
  const std::string before = strangers();
  for (const std::string& from : texts) {
    for (const std::string& to : texts) {
      const Route first = wanted<Route>(from);
      ASSERT_EQ(kernel.send(create(first, kernel.links())), "") << from;
      const Route have = kernel.ours<Route>().front();
      const Route want = complete(wanted<Route>(to), have);
      EXPECT_EQ(kernel.change(have, want), "") << from << " to " << to;
      const auto made = kernel.ours<Route>();
      ASSERT_EQ(made.size(), 1U) << from << " to " << to;
      EXPECT_EQ(complete(want, made.front()), made.front()) << from << " to " << to;
      ASSERT_EQ(kernel.send(remove(made.front(), kernel.links())), "");
      ASSERT_THAT(kernel.ours<Route>(), IsEmpty()) << from << " to " << to;
    }
  }
  EXPECT_EQ(strangers(), before);
}

TEST_F(RouteOnKernel, EveryIpv4RouteBecomesEveryOther) {
  add_strangers();
  every_pair(ipv4_routes());
}

TEST_F(RouteOnKernel, EveryIpv6RouteBecomesEveryOther) {
  add_strangers();
  every_pair(ipv6_routes());
}

TEST_F(RouteOnKernel, ChangesByHandAreSeenAndRepaired) {
  struct Case {
    std::string want;
    std::vector<std::string> by_hand;
  };
  const std::vector<Case> cases{
      {R"({"to": "10.50.0.0/16", "via": "10.0.0.2", "dev": "d0", "src": "10.0.0.1", "mtu": 1400, "advmss": 1300})",
       {"via 10.0.0.3 dev d0 src 10.0.0.1 mtu 1400 advmss 1300",
        "via 10.0.0.2 dev d0 src 10.0.1.1 mtu 1400 advmss 1300",
        "via 10.0.0.2 dev d0 mtu 1400 advmss 1300",
        "via 10.0.0.2 dev d0 src 10.0.0.1 mtu 1300 advmss 1300",
        "via 10.0.0.2 dev d0 src 10.0.0.1 mtu 1400",
        "via 10.0.0.2 dev d0 src 10.0.0.1 mtu lock 1400 advmss 1300",
        "via 10.0.0.2 dev d0 src 10.0.0.1 mtu 1400 advmss 1300 window 10",
        "via 10.0.0.2 dev d0 src 10.0.0.1 mtu 1400 advmss 1300 initcwnd 10",
        "via 10.0.0.2 dev d0 src 10.0.0.1 mtu 1400 advmss 1300 congctl reno",
        "via 10.0.0.2 dev d0 src 10.0.0.1 mtu 1400 advmss 1300 realms 5",
        "via 10.0.0.2 dev d0 src 10.0.0.1 mtu 1400 advmss 1300 scope site",
        "via 10.0.0.2 dev d0 onlink src 10.0.0.1 mtu 1400 advmss 1300",
        "src 10.0.0.1 mtu 1400 advmss 1300 nexthop via 10.0.0.2 nexthop via 10.0.1.2"}},
      {R"({"to": "fd50::/64", "nexthops": [{"via": "fd00::2", "weight": 2}, {"via": "fd01::2"}]})",
       {"nexthop via fd00::2 nexthop via fd01::2",
        "nexthop via fd00::2 weight 2 nexthop via fd01::3", "via fd00::2", "dev d0",
        "mtu 1400 nexthop via fd00::2 weight 2 nexthop via fd01::2",
        "expires 100 nexthop via fd00::2 weight 2 nexthop via fd01::2",
        "pref high nexthop via fd00::2 weight 2 nexthop via fd01::2"}},
  };
  for (const Case& test_case : cases) {
    for (const std::string& by_hand : test_case.by_hand) {
      OnKernel kernel;
      const Route want = wanted<Route>(test_case.want);
      ASSERT_EQ(kernel.send(create(want, kernel.links())), "");
      const std::string family = want.family() == Family::inet ? "-4" : "-6";
      ip(family + " route replace " + format(want.to) + " proto 112 " + by_hand);
      const auto drifted = kernel.ours<Route>();
      ASSERT_EQ(drifted.size(), 1U) << by_hand;
      const Route completed = complete(want, drifted.front());
      EXPECT_NE(completed, drifted.front()) << "not seen: " << by_hand;
      EXPECT_EQ(kernel.change(drifted.front(), completed), "") << by_hand;
      const auto repaired = kernel.ours<Route>();
      ASSERT_EQ(repaired.size(), 1U) << by_hand;
      EXPECT_EQ(complete(want, repaired.front()), repaired.front()) << by_hand;
      EXPECT_EQ(kernel.send(remove(repaired.front(), kernel.links())), "");
      EXPECT_THAT(kernel.ours<Route>(), IsEmpty());
    }
  }
}

TEST_F(RouteOnKernel, RemovingHitsNoRouteOfAnotherProtocol) {
  OnKernel kernel;
  for (const char* text :
       {R"({"to": "10.50.0.0/16", "dev": "d0"})", R"({"to": "fd50::/64", "via": "fd00::2"})",
        R"({"to": "fd50::/64", "type": "blackhole"})"}) {
    Route stranger = wanted<Route>(text);
    stranger.protocol = 113;
    ASSERT_EQ(kernel.send(create(stranger, kernel.links())), "");
    const std::string before = strangers();
    EXPECT_NE(kernel.send(remove(wanted<Route>(text), kernel.links())), "") << text;
    EXPECT_EQ(strangers(), before);
    EXPECT_EQ(kernel.send(remove(stranger, kernel.links())), "");
  }
}

TEST_F(RouteOnKernel, RoutesThatSayMoreThanAValueHoldsAreMarkedSo) {
  ip("nexthop add id 5 via 10.0.0.2 dev d0");
  ip("route add 10.60.0.0/16 nhid 5");
  ip("route add 10.61.0.0/16 dev d0 rto_min 5ms");
  ip("-6 route add fd60::/64 via fd00::2 expires 60");
  ip("route add throw 10.63.0.0/16");
  OnKernel kernel;
  int more = 0;
  for (const Route& route : kernel.observe<Route>()) {
    const std::string text = format(key(route));
    EXPECT_FALSE(route.has_more && route.protocol == 2) << text;
    EXPECT_EQ(route.type == RouteType::other && route.protocol == 3,
              text == "route inet main 10.63.0.0/16")
        << text;
    if (route.has_more) ++more;
  }
  EXPECT_EQ(more, 3);
}

TEST_F(RouteOnKernel, TheKernelsOwnRoutesAreSeenAndNotOurs) {
  OnKernel kernel;
  std::vector<std::string> seen;
  for (const Route& route : kernel.observe<Route>()) {
    EXPECT_FALSE(is_marked(route, Mark{}));
    seen.push_back(format(key(route)));
  }
  EXPECT_THAT(
      seen, ::testing::IsSupersetOf({"route inet main 10.0.0.0/24", "route inet local 10.0.0.1/32",
                                     "route inet6 main fd00::/64 metric 256",
                                     "route inet6 local fd00::1/128 metric 0"}));
}

TEST_F(RouteOnKernel, SaysWhyItIsRefused) {
  OnKernel kernel;
  EXPECT_THAT(kernel.send(create(wanted<Route>(R"({"to": "10.50.0.0/16", "via": "10.99.0.1"})"),
                                 kernel.links())),
              ::testing::HasSubstr("Nexthop has invalid gateway"));
}

}  // namespace
}  // namespace plumbline
