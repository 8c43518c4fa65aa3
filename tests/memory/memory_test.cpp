// What is remembered of what carries no mark: of the object and not of its name, and until it is
// back.

#include "plumbline/memory/memory.hpp"

#include <gtest/gtest.h>

#include "plumbline/memory/goals.hpp"
#include "plumbline/plan/plan.hpp"

namespace plumbline::memory {
namespace {

IfName name(const char* text) { return *IfName::parse(text); }

Link link(const char* called, std::optional<std::uint32_t> mtu) {
  Link link;
  link.name = name(called);
  link.mtu = mtu;
  return link;
}

Memory memory_of_eth0() {
  Memory memory;
  memory.earlier.of<Link>() = {link("eth0", 1500)};
  memory.earlier.of<Sysctl>() = {{"net/ipv4/conf/eth0/rp_filter", "1"},
                                 {"net/ipv4/ip_forward", "0"}};
  memory.indexes = {{name("eth0"), 5}};
  return memory;
}

TEST(Memory, OfALinkThatWasRenamedFollowsIt) {
  Memory memory = memory_of_eth0();
  LinkNames links;
  links.add(5, name("lan0"));
  links.add(9, name("eth0"));
  follow(memory, links, State());
  EXPECT_EQ(memory.earlier.of<Link>().at(0).name, name("lan0"));
  const std::vector<Sysctl> sysctls{{"net/ipv4/conf/lan0/rp_filter", "1"},
                                    {"net/ipv4/ip_forward", "0"}};
  EXPECT_EQ(memory.earlier.of<Sysctl>(), sysctls);
}

TEST(Memory, OfTwoLinksThatSwapNamesIsSwapped) {
  Memory memory = memory_of_eth0();
  memory.earlier.of<Link>().push_back(link("eth1", 1300));
  memory.indexes[name("eth1")] = 6;
  LinkNames links;
  links.add(6, name("eth0"));
  links.add(5, name("eth1"));
  follow(memory, links, State());
  const std::vector<Link> swapped{link("eth0", 1300), link("eth1", 1500)};
  EXPECT_EQ(memory.earlier.of<Link>(), swapped);
}

TEST(Memory, OfALinkThatIsGoneIsNotOfTheNextOfItsName) {
  Memory memory = memory_of_eth0();
  LinkNames links;
  links.add(9, name("eth0"));
  follow(memory, links, State());
  EXPECT_TRUE(memory.earlier.of<Link>().empty());
  EXPECT_EQ(memory.earlier.of<Sysctl>().size(), 1U);
}

TEST(Memory, OfNobodyKnowsWhichIsOfWhoeverHasTheName) {
  Memory memory = memory_of_eth0();
  memory.indexes.clear();
  LinkNames links;
  links.add(9, name("eth0"));
  const Memory before = memory;
  follow(memory, links, State());
  EXPECT_EQ(memory, before);
}

SharedChain forward() {
  SharedChain chain;
  chain.table = "filter";
  chain.name = "FORWARD";
  chain.policy = "ACCEPT";
  return chain;
}

Memory memory_of(const SharedChain& chain, const char* identity) {
  Memory memory;
  memory.earlier.of<SharedChain>() = {chain};
  memory.chains = {{key(chain), identity}};
  return memory;
}

TEST(Memory, OfAChainThatWasMadeAnewIsGone) {
  const SharedChain chain = forward();
  Memory memory = memory_of(chain, "3/1");
  State have;
  have.of<SharedChain>() = {chain};
  follow(memory, {{key(chain), "3/1"}}, have);
  EXPECT_EQ(memory.earlier.of<SharedChain>().size(), 1U);
  follow(memory, {{key(chain), "4/1"}}, have);
  EXPECT_TRUE(memory.earlier.empty());
}

/// As iptables-restore makes it of what was saved while it had rules of ours.
TEST(Memory, OfAChainThatIsACopyIsKept) {
  const SharedChain chain = forward();
  Memory memory = memory_of(chain, "3/1");
  State have;
  have.of<SharedChain>() = {chain};
  have.of<SharedChain>().front().insert = RuleList{"-j APP"};
  follow(memory, {{key(chain), "4/1"}}, have);
  EXPECT_EQ(memory.earlier.of<SharedChain>().size(), 1U);
  have.of<SharedChain>() = {chain};
  follow(memory, {{key(chain), "4/1"}}, have);
  EXPECT_EQ(memory.earlier.of<SharedChain>().size(), 1U) << "the same as before";
  follow(memory, {{key(chain), "5/1"}}, have);
  EXPECT_TRUE(memory.earlier.empty());
}

TEST(Memory, IsKeptUntilTheValueIsBack) {
  Memory memory = memory_of_eth0();
  State now;
  now.of<Link>() = {link("eth0", 1400)};
  now.of<Sysctl>() = {{"net/ipv4/conf/eth0/rp_filter", "2"}, {"net/ipv4/ip_forward", "1"}};
  const State before = memory.earlier;
  forget(memory, State(), now);
  EXPECT_EQ(memory.earlier, before) << "nothing is back";
  now.of<Link>().at(0).mtu = 1500;
  now.of<Sysctl>().at(0).value = "1";
  forget(memory, State(), now);
  EXPECT_TRUE(memory.earlier.of<Link>().empty());
  EXPECT_EQ(memory.earlier.of<Sysctl>(), (std::vector<Sysctl>{{"net/ipv4/ip_forward", "0"}}));
  State want;
  want.of<Sysctl>() = {{"net/ipv4/ip_forward", "0"}};
  now.of<Sysctl>().at(1).value = "0";
  forget(memory, want, now);
  EXPECT_EQ(memory.earlier.of<Sysctl>().size(), 1U) << "the spec holds it";
}

TEST(Memory, OfWhatFollowsAWantedKeyIsHeldByIt) {
  Memory memory;
  memory.earlier.of<Sysctl>() = {{"net/ipv4/conf/all/accept_redirects", "1"},
                                 {"net/ipv4/ip_forward", "0"}};
  memory.followed = {{"net/ipv4/conf/all/accept_redirects", {"0", false}}};
  State want;
  want.of<Sysctl>() = {{"net/ipv4/ip_forward", "1"}};
  EXPECT_EQ(Goals(memory, want).sysctl("net/ipv4/conf/all/accept_redirects"), std::nullopt);
  EXPECT_EQ(Goals(memory, State()).sysctl("net/ipv4/conf/all/accept_redirects"),
            (Sysctl{"net/ipv4/conf/all/accept_redirects", "1"}));
}

TEST(Memory, WhatCannotBePutBackIsBlockedAndTold) {
  Memory memory = memory_of_eth0();
  memory.refused = {{"sysctl net.ipv4.ip_forward", "another kernel"}};
  State have;
  have.of<Sysctl>() = {{"net/ipv4/conf/eth0/rp_filter", "2"}, {"net/ipv4/ip_forward", "1"}};
  have.of<Link>() = {link("eth0", 1500)};
  have.of<Link>().front().alias = "";
  plan::Options options;
  options.allow_empty = true;
  const Plan plan = plan::make_plan(have, State(), memory, {}, options);
  ASSERT_EQ(plan.steps.size(), 1U);
  ASSERT_EQ(plan.blocked.size(), 1U);
  EXPECT_EQ(plan.blocked.front().waits_for, std::vector<std::string>{"another kernel"});
}

}  // namespace
}  // namespace plumbline::memory
