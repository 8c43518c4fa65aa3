// Twice as much costs about twice as much: the work of a plan, for what a hostile spec has many of.
//
// Counted in time of the processor, as a ratio of two sizes, with room for a busy machine: what is
// quadratic gives four.

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <functional>

#include "plumbline/plan/plan.hpp"
#include "tests/support/arbitrary.hpp"

namespace plumbline::plan {
namespace {

IfName name(const std::string& text) { return *IfName::parse(text); }

std::string ipv4(std::size_t number) {
  return "10." + std::to_string(number >> 16U & 255U) + "." + std::to_string(number >> 8U & 255U) +
         "." + std::to_string(number & 255U);
}

double seconds_of(const std::function<void()>& work) {
  const std::clock_t start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

using States = std::function<std::pair<State, State>(std::size_t)>;

/// The best of some tries.
double ratio_of(const States& states, std::size_t size) {
  double best = 1e9;
  for (int tries = 0; tries < 3 && best > 2.6; ++tries) {
    double seconds[2] = {};
    for (const std::size_t twice : {0U, 1U}) {
      const auto [have, want] = states(size << twice);
      seconds[twice] = seconds_of([&] { static_cast<void>(make_plan(have, want, {}, {}, {})); });
    }
    best = std::min(best, seconds[1] / seconds[0]);
  }
  return best;
}

constexpr double linear_enough = 3;

std::vector<Rule> rules(std::size_t count, std::uint32_t table) {
  std::vector<Rule> rules;
  for (std::size_t i = 0; i < count; ++i) {
    Rule rule;
    rule.priority = 1000;
    rule.from = *Prefix::parse(ipv4(i));
    rule.table = TableId{table};
    rules.push_back(rule);
  }
  return rules;
}

TEST(BoundedWork, RulesOfOnePriorityThatComeGoOrChange) {
  const auto with = [](std::size_t have, std::size_t want, std::uint32_t table) {
    State before;
    State after;
    before.of<Rule>() = rules(have, 7);
    after.of<Rule>() = rules(want, table);
    return std::pair(testing::marked(std::move(before)), testing::marked(std::move(after)));
  };
  EXPECT_LT(ratio_of([&](std::size_t n) { return with(0, n, 7); }, 1000), linear_enough);
  EXPECT_LT(ratio_of([&](std::size_t n) { return with(n, 0, 7); }, 1000), linear_enough);
  EXPECT_LT(ratio_of([&](std::size_t n) { return with(n, n, 8); }, 500), linear_enough);
}

TEST(BoundedWork, AddressesOfOneLinkThatComeAndGo) {
  const auto with = [](std::size_t count, const char* length) {
    State state;
    Link link;
    link.name = name("br0");
    link.kind = LinkKind::bridge;
    link.up = true;
    link.alias = "";
    state.of<Link>().push_back(link);
    for (std::size_t i = 1; i <= count; ++i) {
      Address address;
      address.link = link.name;
      address.local = *InterfaceAddress::parse(ipv4(i) + length);
      state.of<Address>().push_back(address);
    }
    return testing::marked(std::move(state));
  };
  for (const char* length : {"/8", "/32"}) {
    EXPECT_LT(ratio_of([&](std::size_t n) { return std::pair(State(), with(n, length)); }, 1000),
              linear_enough);
    EXPECT_LT(
        ratio_of([&](std::size_t n) { return std::pair(with(n, length), with(0, length)); }, 1000),
        linear_enough);
  }
}

TEST(BoundedWork, VxlansThatGoWhileOthersCome) {
  const auto vxlans = [](std::size_t count, const std::string& letter) {
    State state;
    for (std::size_t i = 0; i < count; ++i) {
      Link link;
      link.name = name(letter + std::to_string(i));
      link.kind = LinkKind::vxlan;
      link.up = true;
      link.alias = "";
      link.vxlan = VxlanOptions();
      link.vxlan->id = static_cast<std::uint32_t>(i);
      state.of<Link>().push_back(link);
    }
    return testing::marked(std::move(state));
  };
  EXPECT_LT(ratio_of([&](std::size_t n) { return std::pair(vxlans(n, "a"), vxlans(n, "b")); }, 500),
            linear_enough);
}

TEST(BoundedWork, RoutesThatStandInTheWay) {
  const auto routes = [](std::size_t count, RouteType type) {
    State state;
    for (std::size_t i = 0; i < count; ++i) {
      Route route;
      route.to = *Prefix::parse(ipv4(i));
      route.type = type;
      route.table = main_table;
      state.of<Route>().push_back(route);
    }
    return state;
  };
  EXPECT_LT(ratio_of(
                [&](std::size_t n) {
                  return std::pair(routes(n, RouteType::blackhole),
                                   testing::marked(routes(n, RouteType::unreachable)));
                },
                1000),
            linear_enough);
}

}  // namespace
}  // namespace plumbline::plan
