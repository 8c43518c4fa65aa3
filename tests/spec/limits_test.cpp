// Every count and length of a spec ends where the kernel's does, or where a pass would take
// minutes: at the limit it is taken, one beyond it is refused with its place.

#include "src/spec/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/spec/loaded.hpp"

namespace plumbline::spec {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> errors_of(const std::string& members) {
  return load_members(members).errors;
}

/// `count` texts, apart by commas.
std::string list(std::size_t count, const std::function<std::string(std::size_t)>& element) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + element(i);
  return text;
}

std::string address(std::size_t i) {
  return "10." + std::to_string(i >> 16U) + "." + std::to_string(i >> 8U & 255U) + "." +
         std::to_string(i & 255U);
}

std::string hops(std::size_t count, const std::string& to, const std::string& network) {
  const auto hop = [&](std::size_t i) {
    return R"({"via": ")" + network + std::to_string(i + 1) + R"(", "dev": "eth0"})";
  };
  const auto ipv4 = [&](std::size_t i) { return R"({"via": ")" + address(i + 1) + R"("})"; };
  const std::string all = network.empty() ? list(count, ipv4) : list(count, hop);
  return R"("routes": [{"to": ")" + to + R"(", "nexthops": [)" + all + "]}]";
}

TEST(Limits, ARouteHasAsManyNextHopsAsTheKernelCanListAgain) {
  EXPECT_THAT(errors_of(hops(1984, "172.16.0.0/12", "")), IsEmpty());
  EXPECT_THAT(errors_of(hops(1985, "172.16.0.0/12", "")),
              ElementsAre(AllOf(HasSubstr("a.json:2:"), HasSubstr("OUT_OF_RANGE: 1985 next hops"),
                                HasSubstr("/routes/0/nexthops"))));
  EXPECT_THAT(errors_of(hops(4100, "172.16.0.0/12", "")), ElementsAre(HasSubstr("OUT_OF_RANGE")));
  EXPECT_THAT(errors_of(hops(1133, "fd10::/16", "fd00::")), IsEmpty());
  EXPECT_THAT(errors_of(hops(1134, "fd10::/16", "fd00::")),
              ElementsAre(AllOf(HasSubstr("OUT_OF_RANGE"), HasSubstr("1133 do"))));
  EXPECT_THAT(errors_of(hops(992, "172.16.0.0/12", "fd00::")), IsEmpty());
  EXPECT_THAT(errors_of(hops(993, "172.16.0.0/12", "fd00::")),
              ElementsAre(AllOf(HasSubstr("OUT_OF_RANGE"), HasSubstr("992 do"))));
}

std::string link(const std::string& kind, const std::string& more) {
  return R"("links": {"x0": {"kind": ")" + kind + "\", " + more + "}}";
}

TEST(Limits, ALinksNumbersAreThoseOfItsKind) {
  EXPECT_THAT(errors_of(link("tap", R"("mtu": 65521, "txQueueLength": 524288)")), IsEmpty());
  EXPECT_THAT(errors_of(link("tap", R"("mtu": 65522)")), ElementsAre(HasSubstr("68 to 65521")));
  EXPECT_THAT(errors_of(link("tap", R"("txQueueLength": 524289)")),
              ElementsAre(HasSubstr("0 to 524288")));
  EXPECT_THAT(errors_of(link("ifb", R"("mtu": 65535, "txQueueLength": 524288)")), IsEmpty());
  EXPECT_THAT(errors_of(link("ifb", R"("txQueueLength": 524289)")),
              ElementsAre(HasSubstr("OUT_OF_RANGE")));
  EXPECT_THAT(errors_of(link("bridge", R"("mtu": 65535, "txQueueLength": 2147483647)")), IsEmpty());
}

TEST(Limits, ABridgeHasAsManyPortsAsTheKernelGivesIt) {
  const auto ports = [](std::size_t count) {
    return R"("links": {"b0": {"kind": "bridge"}, )" +
           list(count,
                [](std::size_t i) {
                  return "\"t" + std::to_string(i) + R"(": {"kind": "tap", "master": "b0"})";
                }) +
           "}";
  };
  EXPECT_THAT(errors_of(ports(1023)), IsEmpty());
  EXPECT_THAT(errors_of(ports(1025)),
              ElementsAre(AllOf(HasSubstr("OUT_OF_RANGE"), HasSubstr("/links/t1023/master"))));
}

TEST(Limits, TapsAndOtherPortsOfOneBridgeAreCountedTogether) {
  const auto spec = [](std::size_t taps) {
    return R"("networks": {"b0": {"subnet": "10.0.0.0/16", "vms": {)" +
           list(taps, [](std::size_t i) { return "\"v" + std::to_string(i) + "\": {}"; }) +
           R"(}}}, "links": {"p0": {"kind": "tap", "master": "b0"}})";
  };
  EXPECT_THAT(errors_of(spec(1022)), IsEmpty());
  EXPECT_THAT(errors_of(spec(1023)), ElementsAre(HasSubstr("takes 1022 TAPs beside")));
}

std::string rules(std::size_t count, const std::function<std::string(std::size_t)>& rule) {
  return R"("iptables": {"filter": {"chains": {"C": {"rules": [)" +
         list(count, [&](std::size_t i) { return "\"" + rule(i) + "\""; }) + "]}}}}";
}

std::string lists(std::size_t from, std::size_t to) {
  return "-s " + list(from, address) + " -d " + list(to, address) + " -j DROP";
}

TEST(Limits, RulesThatIptablesMakesOfListsAreCountedBeforeItMakesThem) {
  EXPECT_THAT(errors_of(rules(1, [](std::size_t) { return lists(32, 32); })), IsEmpty());
  EXPECT_THAT(errors_of(rules(1, [](std::size_t) { return lists(33, 32); })),
              ElementsAre(AllOf(HasSubstr("INVALID_IPTABLES_RULE"), HasSubstr("1056 rules"))));
  // 48 of 1024, and then single ones.
  const auto together = [](std::size_t count) {
    return rules(count, [](std::size_t i) {
      return i < 48 ? lists(32, 32) : "-s " + address(i) + " -j DROP";
    });
  };
  const std::size_t most = 48 + most_firewall_rules - 48 * 1024;
  EXPECT_THAT(errors_of(together(most)), IsEmpty());
  EXPECT_THAT(errors_of(together(most + 2)),
              ElementsAre(AllOf(HasSubstr("OUT_OF_RANGE"),
                                HasSubstr("/rules/" + std::to_string(most) + ")"))));
}

TEST(Limits, ARuleHasAsManyMatchesAsTheKernelCanListAgain) {
  const auto with_matches = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "-m u32 --u32 0=0 ";
    return rules(1, [&](std::size_t) { return text + "-j DROP"; });
  };
  EXPECT_THAT(errors_of(with_matches(15)), IsEmpty());
  EXPECT_THAT(errors_of(with_matches(16)), ElementsAre(HasSubstr("more than 15 matches")));
}

TEST(Limits, PolicyRulesOfOnePriorityAreCounted) {
  const auto spec = [](std::size_t count) {
    return R"("rules": [)" +
           list(count,
                [](std::size_t i) {
                  return R"({"priority": 7, "table": 9, "from": ")" + address(i) + "\"}";
                }) +
           "]";
  };
  EXPECT_THAT(errors_of(spec(most_rules_of_a_priority)), IsEmpty());
  EXPECT_THAT(errors_of(spec(most_rules_of_a_priority + 2)),
              ElementsAre(AllOf(HasSubstr("OUT_OF_RANGE"), HasSubstr("priority 7"),
                                HasSubstr("/rules/" + std::to_string(most_rules_of_a_priority)))));
}

TEST(Limits, AHostOfTenThousandGuestsPassesAndOneOfTwiceTheMostDoesNot) {
  const auto spec = [](std::size_t networks) {
    const auto guest = [](std::size_t i) { return "\"v" + std::to_string(i) + "\":{}"; };
    const std::string vms = list(1000, guest);
    return "\"networks\": {" +
           list(networks,
                [&](std::size_t i) {
                  return "\"n" + std::to_string(i) + R"(":{"subnet":"10.)" + std::to_string(i) +
                         R"(.0.0/16","vms":{)" + vms + "}}";
                }) +
           "}";
  };
  EXPECT_THAT(errors_of(spec(10)), IsEmpty());
  EXPECT_THAT(errors_of(spec(most_guests / 1000)), IsEmpty());
  EXPECT_THAT(errors_of(spec(most_guests / 1000 + 1)),
              ElementsAre(AllOf(HasSubstr("OUT_OF_RANGE"), HasSubstr("/networks/n20/vms/v0"))));
}

}  // namespace
}  // namespace plumbline::spec
