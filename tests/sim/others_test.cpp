// Somebody else is at work on the host too: what is theirs stays, what they do between our requests
// is met, and what they have becomes ours only by adopting it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if.h>

#include <algorithm>

#include "src/engine/adopt.hpp"
#include "tests/sim/addresses.hpp"
#include "tests/sim/links.hpp"
#include "tests/sim/routes.hpp"
#include "tests/sim/seen.hpp"
#include "tests/sim/site.hpp"
#include "tests/sim/specs.hpp"
#include "tests/support/failing_host.hpp"
#include "tests/support/stepping_host.hpp"

namespace plumbline::sim {

namespace {

using engine::Result;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class Others : public testing::Test {
 protected:
  Namespace& there() { return site_.kernel().there(); }

  /// A bridge that is up, with an address, as a script makes it.
  void add_bridge() {
    Device bridge;
    bridge.name = "br0";
    bridge.kind = "bridge";
    bridge.flags = IFF_BROADCAST | IFF_MULTICAST;
    bridge.bridge.emplace();
    bridge.mac = *Mac::parse("02:00:00:00:05:05");
    Device& made = register_device(there(), std::move(bridge));
    open_device(there(), made);
    Address address;
    address.local = address.peer = *IpAddress::parse("10.1.0.1");
    address.length = 24;
    address.flags = 128;
    add_inet(there(), made, address);
  }

  engine::Outcome adopt(const std::vector<std::string>& keys, io::Host* host = nullptr) {
    const engine::Context context = site_.context();
    const engine::Prepared prepared = engine::prepare_adoption(context, keys);
    for (const Diagnostic& error : prepared.errors) ADD_FAILURE() << format(error);
    return engine::adopt(site_.context(host), prepared);
  }

  Site site_;
};

TEST_F(Others, ALinkOfTheirsIsNotTaken) {
  add_bridge();
  const std::vector<std::string> before = site_.state();
  EXPECT_EQ(site_.carry_out(site_.prepare(spec("Bridge"))).result, Result::refused);
  EXPECT_EQ(difference(before, site_.state()), "");
}

TEST_F(Others, AnAddressOfTheirsOnALinkOfOursStays) {
  site_.apply(spec("Veth"));
  Address theirs;
  theirs.local = theirs.peer = *IpAddress::parse("10.77.0.1");
  theirs.length = 24;
  theirs.flags = 128;
  add_inet(there(), *there().device("va"), theirs);
  site_.apply(spec("Veth"));
  EXPECT_THAT(there().device("va")->inet, SizeIs(2));
}

TEST_F(Others, AnAddressThatLostOurMarkIsTheirsAndIsLeftAlone) {
  site_.apply(spec("Addresses"));
  there().device("eth0")->inet.front().protocol = 0;
  const engine::Prepared prepared = site_.prepare(spec("Addresses"));
  EXPECT_THAT(shown(prepared), HasSubstr("FOREIGN_EQUAL"));
  EXPECT_EQ(site_.carry_out(prepared).result, Result::unchanged);
}

TEST_F(Others, ATransactionOfTheirsBetweenOursIsMet) {
  int commits = 0;
  test::SteppingHost host(site_.host(), [&](std::size_t) {
    if (++commits == 1) ++there().nf_tables.generation;
  });
  EXPECT_EQ(site_.carry_out(site_.prepare(spec("Chains")), &host).result, Result::applied);
  EXPECT_GT(commits, 1) << "the first one was void";
}

TEST_F(Others, WhoCommitsAllTheTimeMakesThePassGiveUp) {
  test::SteppingHost host(site_.host(), [&](std::size_t) { ++there().nf_tables.generation; });
  const engine::Outcome outcome = site_.carry_out(site_.prepare(spec("Chains")), &host);
  EXPECT_EQ(outcome.result, Result::rolled_back);
}

TEST_F(Others, ALinkThatGoesMeanwhileIsAFailedStep) {
  test::SteppingHost host(site_.host(), [&](std::size_t change) {
    Device* card = there().device("eth0");
    if (change == 0 && card != nullptr) unregister_device(there(), card->index);
  });
  const engine::Outcome outcome = site_.carry_out(site_.prepare(spec("Routes")), &host);
  EXPECT_NE(outcome.result, Result::applied);
  EXPECT_TRUE(outcome.report.failed);
}

TEST_F(Others, AnAdoptedLinkIsOursAndAsItWas) {
  add_bridge();
  const Device before = *there().device("br0");
  EXPECT_EQ(adopt({"link br0"}).result, Result::applied);
  const Device& after = *there().device("br0");
  EXPECT_THAT(after.alias, HasSubstr("plumbline:1;"));
  EXPECT_EQ(after.index, before.index);
  EXPECT_EQ(after.mac, before.mac);
  EXPECT_EQ(after.mtu, before.mtu);
  EXPECT_EQ(adopt({"link br0"}).result, Result::unchanged);
}

TEST_F(Others, AnAdoptedAddressHasOurMark) {
  add_bridge();
  EXPECT_EQ(adopt({"address br0 10.1.0.1/24"}).result, Result::applied);
  EXPECT_EQ(there().device("br0")->inet.front().protocol, 112);
}

TEST_F(Others, AnAdoptionThatFailsLeavesAllAsItWas) {
  add_bridge();
  const std::vector<std::string> before = site_.state();
  for (std::size_t failed = 0;; ++failed) {
    test::FailingHost host(site_.host(), failed);
    const engine::Outcome outcome = adopt({"link br0", "address br0 10.1.0.1/24"}, &host);
    if (host.changes() <= failed) break;
    ASSERT_EQ(outcome.result, Result::rolled_back) << failed;
    ASSERT_EQ(difference(before, site_.state()), "") << failed;
  }
}

TEST_F(Others, WhatIsNotThereCannotBeAdopted) {
  const engine::Context context = site_.context();
  EXPECT_THAT(engine::prepare_adoption(context, {"link none0"}).errors, SizeIs(1));
}

TEST_F(Others, WhatWasAdoptedGoesWithTheSpec) {
  add_bridge();
  EXPECT_EQ(adopt({"link br0", "address br0 10.1.0.1/24"}).result, Result::applied);
  site_.options.allow_empty = true;
  site_.apply(empty_spec());
  EXPECT_EQ(there().device("br0"), nullptr);
}

TEST_F(Others, ARouteOfTheirsAtTheSamePlaceIsNotReplaced) {
  site_.apply(R"({ "version": 1, "links": { "eth0": { "kind": "physical",
      "addresses": ["10.5.0.1/24"] } } })");
  Route theirs;
  theirs.table = 254;
  theirs.to = *Prefix::parse("192.0.2.0/24");
  theirs.type = 6;
  theirs.protocol = 3;
  there().inet.routes.push_back(theirs);
  const std::vector<std::string> before = site_.state();
  const engine::Prepared prepared = site_.prepare(R"({ "version": 1, "links": { "eth0":
      { "kind": "physical", "addresses": ["10.5.0.1/24"] } },
      "routes": [ { "to": "192.0.2.0/24", "type": "unreachable" } ] })");
  EXPECT_EQ(site_.carry_out(prepared).result, Result::refused);
  EXPECT_EQ(difference(before, site_.state()), "");
}

}  // namespace

}  // namespace plumbline::sim
