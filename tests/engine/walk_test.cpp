// Random pairs of specs on the real kernel: from one to the other in one apply, to the state that
// was predicted, with nothing left to do; and back to nothing.
//
// The kernel has the last word here over the model that tests/plan checks the planner with.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <stdlib.h>

#include <sstream>

#include "src/plan/predict.hpp"
#include "tests/support/arbitrary.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"

namespace plumbline::test {
namespace {

/// The seed is fixed so that a red run is the fault of the change; RC_PARAMS=seed=… takes another.
/// Each round is two pairs: from what the one before left to the first, and from that to the
/// second.
constexpr const char* rounds = "max_success=260 seed=20261123";
constexpr std::size_t least_pairs = 500;

State without_kernels_own(State state) {
  std::erase_if(state.of<Route>(), [](const Route& route) { return route.protocol == 2; });
  std::erase_if(state.of<Address>(), [](const Address& address) { return address.protocol == 3; });
  return state;
}

std::string shown_difference(const State& expected, const State& found) {
  const auto lines_of = [](const State& state) {
    std::ostringstream out;
    showValue(state, out);
    std::vector<std::string> lines;
    std::istringstream in(out.str());
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    std::ranges::sort(lines);
    return lines;
  };
  const auto before = lines_of(expected);
  const auto after = lines_of(found);
  std::vector<std::string> missing;
  std::vector<std::string> extra;
  std::ranges::set_difference(before, after, std::back_inserter(missing));
  std::ranges::set_difference(after, before, std::back_inserter(extra));
  std::string text;
  for (const std::string& line : missing) text += "- " + line + "\n";
  for (const std::string& line : extra) text += "+ " + line + "\n";
  return text;
}

class WalkTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    bring_up_loopback();
    must_run({"sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0"});
    // A table that we made goes with its built-in chains when nothing is in it, which no step
    // names.
    for (const char* program : {"iptables-nft", "ip6tables-nft"}) {
      for (const char* chain : {"INPUT", "FORWARD", "OUTPUT"}) {
        must_run({program, "-P", chain, "ACCEPT"});
      }
    }
    universe_.least_mtu = 1300;
    universe_.ebtables = run({"ebtables-nft", "-V"}).status == 0;
    for (const char* chain : {"PREROUTING", "OUTPUT", "POSTROUTING"}) {
      if (universe_.ebtables) must_run({"ebtables-nft", "-t", "nat", "-P", chain, "ACCEPT"});
    }
    for (const char* name : {"eth0", "eth1"}) {
      ip(std::string("link add ") + name + " type veth peer name " + name + "-far");
      ip(std::string("link set ") + name + "-far up");
      ip(std::string("link set ") + name + " up");
    }
  }

  /// The first failure is kept: what shrinking makes of it starts from another state.
  static void fail(const std::string& what) {
    if (first_failure.empty()) first_failure = what;
    RC_FAIL(what);
  }

  /// One apply, judged.
  static void go(Site& site, const State& want) {
    spec::Desired desired;
    desired.state = want;
    const engine::Prepared prepared = site.prepare(desired);
    for (const Diagnostic& refusal : prepared.plan.refusals) fail(format(refusal));
    const engine::Outcome outcome = site.carry_out(prepared);
    if (outcome.report.failed) {
      std::string words;
      for (std::size_t i = 0; i < outcome.report.steps.size(); ++i) {
        const engine::StepReport& step = outcome.report.steps[i];
        if (step.error != 0) {
          words += format(prepared.plan.steps[i].key) + ": " + step.message + "\n";
        }
      }
      fail(words + shown(prepared));
    }
    const engine::Prepared second = site.prepare(desired);
    if (!second.plan.empty()) fail("first:\n" + shown(prepared) + "second:\n" + shown(second));

    State found = without_kernels_own(second.have.state);
    State predicted = without_kernels_own(plan::predict(prepared.have.state, prepared.plan));
    // What is blocked is left to itself: a route of which one nexthop was dead already, which no
    // dump of values tells, may go with its other.
    for (const Blocked& blocked : prepared.plan.blocked) {
      const auto is_blocked = [&](const Route& route) { return Key(key(route)) == blocked.key; };
      std::erase_if(found.of<Route>(), is_blocked);
      std::erase_if(predicted.of<Route>(), is_blocked);
    }
    // A sysctl that is neither wanted nor remembered is not looked at any more.
    std::erase_if(predicted.of<Sysctl>(),
                  [&](const Sysctl& sysctl) { return found.find<Sysctl>(key(sysctl)) == nullptr; });
    Kinds::for_each([&]<class K>(std::type_identity<K>) {
      for (K& value : predicted.of<K>()) {
        const K* real = found.find<K>(key(value));
        if (real == nullptr) continue;
        value = complete(value, *real);
        if constexpr (std::is_same_v<K, Link>) {
          // What is not pinned of a bridge follows its ports (br_stp_recalculate_bridge_id(),
          // br_mtu_auto_adjust()).
          const Link* wanted = want.find<Link>(key(value));
          if (wanted == nullptr || !wanted->mac) value.mac = real->mac;
          if (wanted == nullptr || !wanted->mtu) value.mtu = real->mtu;
        }
      }
    });
    if (predicted != found) {
      fail("predicted and observed differ:\n" + shown_difference(predicted, found) +
           shown(prepared));
    }
  }

  static inline std::string first_failure;
  testing::Universe universe_;
};

TEST_F(WalkTest, LeadsWherePlansPredictAndLeavesNothingToDo) {
  const bool whole = getenv("RC_PARAMS") == nullptr;
  setenv("RC_PARAMS", rounds, 0);
  Site site;
  site.options.allow_empty = true;
  go(site, {});
  std::size_t pairs = 0;
  const auto result = rc::check("between any two specs", [&] {
    const State first = *testing::wanted_states(universe_);
    const State second = *testing::wanted_states(universe_);
    go(site, first);
    go(site, second);
    pairs += 2;
    if (pairs % 20 == 0) go(site, {});
  });
  EXPECT_TRUE(result) << first_failure;
  EXPECT_GE(pairs, whole ? least_pairs : 1);
}

}  // namespace
}  // namespace plumbline::test
