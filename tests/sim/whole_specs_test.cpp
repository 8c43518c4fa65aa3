// Each spec of specs.cpp from nothing to applied and back, with somebody else's things around it:
// without a fault, with every request failing in turn, and killed before every request.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "tests/sim/links.hpp"
#include "tests/sim/seen.hpp"
#include "tests/sim/site.hpp"
#include "tests/sim/specs.hpp"
#include "tests/support/failing_host.hpp"
#include "tests/support/stepping_host.hpp"

namespace plumbline::sim {

namespace {

using engine::Result;
using testing::AnyOf;

/// A bridge with an address and routes, a policy rule, a table of nf_tables: nobody's that we know.
void add_others(Site& site) {
  Namespace& there = site.kernel().there();
  Device bridge;
  bridge.name = "docker0";
  bridge.kind = "bridge";
  bridge.bridge.emplace();
  bridge.mac = there.new_mac("docker0");
  bridge.flags = there.devices.at(2).flags;
  Device& made = register_device(there, std::move(bridge));
  there.settings["net/ipv4/conf/all/log_martians"] = "1";
  ifaddrmsg address{};
  address.ifa_family = AF_INET;
  address.ifa_prefixlen = 16;
  address.ifa_index = static_cast<std::uint32_t>(made.index);
  wire::MessageBuilder with_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  with_address.header(address).address(IFA_LOCAL, *IpAddress::parse("172.17.0.1"));
  site.send(wire::NetlinkChange{std::move(with_address).finish()});
  rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_dst_len = 16;
  route.rtm_protocol = RTPROT_BOOT;
  route.rtm_type = RTN_UNICAST;
  wire::MessageBuilder with_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  with_route.header(route).address(RTA_DST, *IpAddress::parse("172.18.0.0"));
  with_route.address(RTA_GATEWAY, *IpAddress::parse("172.17.0.2"));
  site.send(wire::NetlinkChange{std::move(with_route).finish()});
  fib_rule_hdr rule{};
  rule.family = AF_INET;
  rule.action = FR_ACT_TO_TBL;
  wire::MessageBuilder with_rule(RTM_NEWRULE, NLM_F_CREATE);
  with_rule.header(rule).u32(FRA_PRIORITY, 500).u32(FRA_TABLE, 77);
  site.send(wire::NetlinkChange{std::move(with_rule).finish()});
  NftTable table;
  table.family = 10;
  table.name = "theirs";
  table.handle = ++there.nf_tables.last_handle;
  table.chains.emplace_back().name = "CHAIN";
  there.nf_tables.tables.push_back(table);
  ++there.nf_tables.generation;
}

class WholeSpec : public testing::TestWithParam<NamedSpec> {
 protected:
  WholeSpec() {
    add_others(site_);
    at_first_ = site_.state();
  }

  [[nodiscard]] const std::string& wanted() const { return GetParam().text; }
  void destroy() {
    site_.options.allow_empty = true;
    site_.apply(empty_spec());
  }

  Site site_;
  std::vector<std::string> at_first_;
};

TEST_P(WholeSpec, IsAppliedOnceAndThenThereIsNothingToDo) {
  site_.apply(wanted());
  EXPECT_NE(site_.state(), at_first_);
  const std::vector<std::string> applied = site_.state();
  site_.forget_what_was_seen();
  EXPECT_EQ(site_.carry_out(site_.prepare(wanted())).result, Result::unchanged);
  EXPECT_EQ(difference(applied, site_.state()), "");
}

TEST_P(WholeSpec, LeavesTheHostAsItWasWhenItGoes) {
  site_.apply(wanted());
  destroy();
  EXPECT_EQ(difference(at_first_, site_.state()), "");
}

TEST_P(WholeSpec, IsUndoneWhicheverRequestFails) {
  std::size_t failed = 0;
  for (;; ++failed) {
    test::FailingHost host(site_.host(), failed);
    site_.forget_what_was_seen();
    const engine::Outcome outcome = site_.carry_out(site_.prepare(wanted()), &host);
    if (host.changes() <= failed) break;
    ASSERT_EQ(outcome.result, Result::rolled_back) << "request " << failed;
    ASSERT_EQ(difference(at_first_, site_.state()), "") << "request " << failed;
  }
  EXPECT_GT(failed, 0U);
}

TEST_P(WholeSpec, IsThereAgainWhicheverRequestOfItsRemovalFails) {
  site_.apply(wanted());
  const std::vector<std::string> applied = site_.state();
  site_.options.allow_empty = true;
  for (std::size_t failed = 0;; ++failed) {
    test::FailingHost host(site_.host(), failed);
    site_.forget_what_was_seen();
    const engine::Outcome outcome = site_.carry_out(site_.prepare(empty_spec()), &host);
    if (host.changes() <= failed) break;
    // What puts a setting back may stay undone: engine::may_stay().
    ASSERT_THAT(outcome.result, AnyOf(Result::rolled_back, Result::applied)) << failed;
    if (outcome.result == Result::applied) break;
    ASSERT_EQ(difference(applied, site_.state()), "") << "request " << failed;
  }
}

TEST_P(WholeSpec, IsFinishedByTheNextProcessWhereverOneWasKilled) {
  for (std::size_t killed = 0;; ++killed) {
    Site site;
    add_others(site);
    test::SteppingHost host(site.host(), [&](std::size_t change) {
      if (change == killed) throw test::Killed();
    });
    bool finished = true;
    try {
      static_cast<void>(site.carry_out(site.prepare(wanted()), &host));
    } catch (const test::Killed&) {
      finished = false;
    }
    site.forget_what_was_seen();
    site.apply(wanted());
    site.options.allow_empty = true;
    site.apply(empty_spec());
    // Who was killed behind the commit of its guards has left no word that the table is its own.
    for (const Family family : {Family::inet, Family::inet6}) {
      for (const char* table : {"filter", "nat"}) site.send(wire::FirewallDropTable{family, table});
    }
    ASSERT_EQ(difference(at_first_, site.state()), "") << "killed before request " << killed;
    if (finished) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, WholeSpec, testing::ValuesIn(specs()),
                         [](const auto& spec) { return spec.param.name; });

}  // namespace

}  // namespace plumbline::sim
