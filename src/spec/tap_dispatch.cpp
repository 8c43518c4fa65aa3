#include "tap_dispatch.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace plumbline::spec {

namespace {

/// A chain of so many comparisons costs less than another chain would save.
constexpr std::size_t most_direct = 16;
/// A packet goes 16 jumps deep at most (NFT_JUMP_STACK_SIZE in include/net/netfilter/nf_tables.h),
/// and the TAP's own chain is one.
constexpr int most_forks = 8;

using Taps = std::span<const IfName>;

/// How many characters all of them start with. They are sorted: the first and the last say it.
std::size_t common_start(Taps taps) {
  const std::string_view first = taps.front().view();
  const std::string_view last = taps.back().view();
  const auto [end, ignored] = std::ranges::mismatch(first, last);
  return static_cast<std::size_t>(end - first.begin());
}

TapJump jump(std::string interface, Taps taps) {
  return {interface, "PLUMB-" + interface, {taps.begin(), taps.end()}};
}

void add_fork(std::string chain, Taps taps, std::vector<TapFork>& tree, int depth = 1) {
  const std::size_t place = tree.size();
  tree.push_back({std::move(chain), {}});
  const bool direct = taps.size() <= most_direct || depth == most_forks;
  const std::size_t shared = direct ? 0 : common_start(taps);
  while (!taps.empty()) {
    // Those that go on with the same character; one that ends here goes by itself.
    const std::string_view name = taps.front().view();
    std::size_t count = 1;
    if (!direct && name.size() > shared) {
      const auto other = std::ranges::find_if(
          taps, [&](const IfName& tap) { return tap.view()[shared] != name[shared]; });
      count = static_cast<std::size_t>(other - taps.begin());
    }
    const Taps group = taps.first(count);
    taps = taps.subspan(count);
    if (count == 1) {
      tree[place].jumps.push_back(jump(std::string(name), group));
      continue;
    }
    const TapJump on = jump(std::string(name.substr(0, common_start(group))) + "+", group);
    tree[place].jumps.push_back(on);
    add_fork(on.chain, group, tree, depth + 1);
  }
}

}  // namespace

std::vector<TapFork> tap_dispatch(std::vector<IfName> taps) {
  std::ranges::sort(taps);
  std::vector<TapFork> tree;
  if (!taps.empty()) add_fork("", taps, tree);
  return tree;
}

}  // namespace plumbline::spec
