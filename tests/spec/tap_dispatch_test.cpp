#include "src/spec/tap_dispatch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "plumbline/base/sha256.hpp"

namespace plumbline::spec {
namespace {

IfName name(const std::string& text) { return IfName::parse(text).value(); }

std::vector<IfName> hashed(int count) {
  std::vector<IfName> taps;
  for (int i = 0; i < count; ++i) taps.push_back(name("sv" + sha256_hex(std::to_string(i), 10)));
  return taps;
}

std::vector<IfName> counted(int count) {
  std::vector<IfName> taps;
  for (int i = 0; i < count; ++i) taps.push_back(name("tap" + std::to_string(i)));
  return taps;
}

bool matches(const std::string& interface, const IfName& tap) {
  if (!interface.ends_with('+')) return interface == tap.view();
  return tap.view().starts_with(interface.substr(0, interface.size() - 1));
}

/// What a frame of one TAP meets on its way through a tree.
struct Way {
  std::multiset<std::string> own_chains;  ///< those that belong to one TAP
  int comparisons = 0;
  int jumps = 0;  ///< at the deepest
};

void walk(const std::map<std::string, TapFork>& tree, const std::string& chain, const IfName& tap,
          Way& way, int depth = 1) {
  way.jumps = std::max(way.jumps, depth);
  for (const TapJump& jump : tree.at(chain).jumps) {
    ++way.comparisons;
    if (!matches(jump.interface, tap)) continue;
    if (tree.contains(jump.chain)) {
      walk(tree, jump.chain, tap, way, depth + 1);
    } else {
      way.own_chains.insert(jump.chain);
    }
  }
}

/// Expects that each TAP meets its own chain, once, and no other; gives the most comparisons.
int longest_way(const std::vector<IfName>& taps) {
  std::map<std::string, TapFork> tree;
  for (const TapFork& fork : tap_dispatch(taps)) {
    EXPECT_TRUE(tree.emplace(fork.chain, fork).second) << fork.chain;
  }
  int longest = 0;
  for (const IfName& tap : taps) {
    Way way;
    walk(tree, "", tap, way);
    EXPECT_EQ(way.own_chains, (std::multiset<std::string>{"PLUMB-" + format(tap)}));
    EXPECT_LE(way.jumps, 8);
    longest = std::max(longest, way.comparisons);
  }
  return longest;
}

TEST(TapDispatch, AFewTapsAreARuleEach) {
  const auto tree = tap_dispatch({name("tap2"), name("tap1")});
  ASSERT_EQ(tree.size(), 1U);
  EXPECT_EQ(tree[0].chain, "");
  EXPECT_EQ(tree[0].jumps, (std::vector<TapJump>{{"tap1", "PLUMB-tap1", {name("tap1")}},
                                                 {"tap2", "PLUMB-tap2", {name("tap2")}}}));
  EXPECT_EQ(tap_dispatch(hashed(16)).size(), 1U);
  EXPECT_TRUE(tap_dispatch({}).empty());
}

TEST(TapDispatch, ManyTapsPartByTheStartOfTheirNames) {
  const auto tree = tap_dispatch(counted(17));
  ASSERT_EQ(tree.size(), 2U);
  EXPECT_EQ(tree[0].jumps.size(), 10U);
  EXPECT_EQ(tree[0].jumps[1].interface, "tap1+");
  EXPECT_EQ(tree[0].jumps[1].chain, tree[1].chain);
  EXPECT_EQ(tree[0].jumps[2].interface, "tap2");
  EXPECT_EQ(tree[1].jumps.size(), 8U) << "tap1 itself, and tap10 to tap16";
}

TEST(TapDispatch, EveryTapMeetsItsOwnChainAndNoOther) {
  for (const int count : {1, 16, 17, 100, 1000, 4000}) {
    SCOPED_TRACE(count);
    EXPECT_LE(longest_way(hashed(count)), 64);
    EXPECT_LE(longest_way(counted(count)), 64);
  }
}

TEST(TapDispatch, ANameThatAnotherStartsWithIsNoMoreThanItself) {
  std::vector<IfName> taps;
  std::string text = "a";
  for (; text.size() <= 15; text += 'a') taps.push_back(name(text));
  for (const char* other : {"ab", "aab", "aaab"}) taps.push_back(name(other));
  longest_way(taps);
}

TEST(TapDispatch, NoNamesLeadDeeperThanThePacketPathAllows) {
  std::vector<IfName> taps;
  for (std::size_t length = 0; length < 13; ++length) {
    for (const char end : std::string("bcdefghijklmnopqrstuvwxyz")) {
      taps.push_back(name(std::string(length, 'a') + end));
    }
  }
  longest_way(taps);
}

TEST(TapDispatch, TheOrderOfTheTapsChangesNothing) {
  std::vector<IfName> taps = hashed(500);
  const auto tree = tap_dispatch(taps);
  std::ranges::reverse(taps);
  EXPECT_EQ(tap_dispatch(taps), tree);
}

}  // namespace
}  // namespace plumbline::spec
