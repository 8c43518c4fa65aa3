// What a dump of routes ends at without a word is noticed, so that what is behind it is not taken
// for absent.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plumbline/engine/observe.hpp"
#include "plumbline/io/kernel_host.hpp"
#include "tests/kinds/on_kernel.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::engine {
namespace {

using test::ip;
using ::testing::AllOf;
using ::testing::HasSubstr;

class WholeRoutes : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    test::bring_up_loopback();
    ip("link add d0 type ifb");
    ip("link set d0 up");
    ip("addr add 10.0.0.1/8 dev d0");
    ip("-6 addr add fd00::1/16 dev d0 nodad");
  }
};

/// Made by a message of ours, as ip(8) has no room for so many, and a spec may not have them.
void add_route(const std::string& to, std::size_t hops, const std::string& network) {
  auto route = test::wanted<Route>(R"({"to": ")" + to + R"(", "nexthops": [{"via": ")" + network +
                                   (network.ends_with(':') ? "2" : "0.2") + R"(", "dev": "d0"}]})");
  for (std::size_t i = 1; i < hops; ++i) {
    const std::size_t n = i + 2;
    const std::string host = network.ends_with(':')
                                 ? std::to_string(n)
                                 : std::to_string(n >> 8U) + "." + std::to_string(n & 255U);
    Nexthop hop = route.nexthops.front();
    hop.via = IpAddress::parse(network + host);
    ASSERT_TRUE(hop.via) << network << host;
    route.nexthops.push_back(hop);
  }
  test::OnKernel kernel;
  ASSERT_EQ(kernel.send(create(route, kernel.links())), "");
}

std::string refused() {
  try {
    io::KernelHost host;
    static_cast<void>(look_around(host));
    return {};
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST_F(WholeRoutes, AreThereBehindARouteOfManyNextHops) {
  add_route("172.16.0.0/12", 1900, "10.0.");
  add_route("fd10::/16", 1000, "fd00::");
  EXPECT_EQ(refused(), "");
}

TEST_F(WholeRoutes, OfIpv4AreMissedBehindARouteOfTooManyNextHops) {
  add_route("172.16.0.0/12", 2100, "10.0.");
  EXPECT_THAT(refused(), AllOf(HasSubstr("too many next hops"), HasSubstr("cannot be seen")));
  ip("route del 172.16.0.0/12");
  EXPECT_EQ(refused(), "");
}

TEST_F(WholeRoutes, OfIpv6AreMissedBehindARouteOfTooManyNextHops) {
  add_route("fd10::/16", 1200, "fd00::");
  EXPECT_THAT(refused(), AllOf(HasSubstr("inet6 routes behind 'route inet6"),
                               HasSubstr("too many next hops")));
}

TEST_F(WholeRoutes, AreNotMissedBecauseALocalRouteWasRemovedByHand) {
  ip("route del local 10.0.0.1 dev d0 table local");
  ip("route del local 127.0.0.1 dev lo table local");
  EXPECT_EQ(refused(), "");
}

}  // namespace
}  // namespace plumbline::engine
