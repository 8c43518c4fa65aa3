// Routes of as many next hops as a spec may have: the kernel takes them and lists them again, with
// what is behind them. One more than a message holds ends its list without a word.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plumbline/kinds/route.hpp"
#include "tests/kinds/on_kernel.hpp"
#include "tests/support/netns.hpp"

namespace plumbline {
namespace {

using test::ip;
using test::OnKernel;
using test::wanted;
using ::testing::Contains;
using ::testing::Not;

class ManyNexthops : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    ip("link add d0 type ifb");
    ip("link set d0 up");
    ip("addr add 10.0.0.1/8 dev d0");
    ip("-6 addr add fd00::1/16 dev d0 nodad");
  }
};

std::string spec_of(const std::string& to, std::size_t hops, bool ipv6) {
  std::string list;
  for (std::size_t i = 0; i < hops; ++i) {
    const std::size_t n = i + 2;
    const std::string via =
        ipv6 ? "fd00::" + std::to_string(n)
             : "10.0." + std::to_string(n >> 8U) + "." + std::to_string(n & 255U);
    list += (i == 0 ? "" : ",") + std::string(R"({"via": ")") + via + R"(", "dev": "d0"})";
  }
  return R"({"to": ")" + to + R"(", "nexthops": [)" + list + "]}";
}

void lists_again(const std::string& to, std::size_t hops, bool ipv6, const std::string& behind) {
  OnKernel kernel;
  const auto route = wanted<Route>(spec_of(to, hops, ipv6));
  const auto last = wanted<Route>(R"({"to": ")" + behind + R"(", "type": "blackhole"})");
  ASSERT_EQ(kernel.send(create(last, kernel.links())), "");
  ASSERT_EQ(kernel.send(create(route, kernel.links())), "");
  const std::vector<Route> ours = kernel.ours<Route>();
  EXPECT_THAT(ours, Contains(route)) << hops;
  EXPECT_THAT(ours, Contains(last)) << "what is behind it";
  EXPECT_EQ(kernel.send(remove(route, kernel.links())), "");
  EXPECT_EQ(kernel.send(remove(last, kernel.links())), "");
}

TEST_F(ManyNexthops, AsManyAsASpecMayHaveAreListedAgainWithWhatIsBehind) {
  lists_again("172.16.0.0/12", 1984, false, "192.168.0.0/16");
  lists_again("172.16.0.0/12", 992, true, "192.168.0.0/16");
  lists_again("fd10::/16", 1133, true, "fd20::/16");
}

/// The reason for the limit: when this fails the kernel has learnt to tell, and the limit may go.
TEST_F(ManyNexthops, MoreThanAPartOfAListHoldsEndTheList) {
  OnKernel kernel;
  auto route = wanted<Route>(spec_of("172.16.0.0/12", 1984, false));
  for (std::size_t i = 1984; i < 2100; ++i) {
    Nexthop hop = route.nexthops.front();
    const std::size_t n = i + 2;
    hop.via = *IpAddress::parse("10.0." + std::to_string(n >> 8U) + "." + std::to_string(n & 255U));
    route.nexthops.push_back(hop);
  }
  const auto last = wanted<Route>(R"({"to": "192.168.0.0/16", "type": "blackhole"})");
  ASSERT_EQ(kernel.send(create(last, kernel.links())), "");
  ASSERT_EQ(kernel.send(create(route, kernel.links())), "");
  try {
    EXPECT_THAT(kernel.ours<Route>(), Not(Contains(last)));
  } catch (const wire::Malformed& error) {  // before Linux 6.10 it says that it ends too early
    EXPECT_THAT(error.what(), ::testing::HasSubstr("next hops"));
  }
}

}  // namespace
}  // namespace plumbline
