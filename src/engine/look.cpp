#include "look.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "plumbline/memory/goals.hpp"

namespace plumbline::engine {

Observed look(const Context& context, const spec::Desired& desired, const memory::Memory& memory,
              Observed around) {
  firewall::ChainScope chains = firewall::chain_scope(desired.state);
  chains.ipsets = firewall::named_sets(desired);
  return observe(context.host, context.ruleset, context.compiler.uses_nft(),
                 memory::scope_of(desired.state, memory), chains, std::move(around));
}

void name_rules(const Context& context, State& state) {
  context.ruleset.name_rules(context.host, context.compiler.book(), false, state);
}

Observed look_after(const Context& context, const spec::Desired& desired,
                    const memory::Memory& memory) {
  constexpr int most_looks = 20;
  constexpr std::chrono::milliseconds wait{100};
  const auto look_now = [&] {
    Observed seen = look(context, desired, memory, look_around(context.host));
    name_rules(context, seen.state);
    return seen;
  };
  for (int looks = 1; looks < most_looks; ++looks) {
    try {
      return look_now();
    } catch (const std::runtime_error&) {
      std::this_thread::sleep_for(wait);
    }
  }
  return look_now();
}

}  // namespace plumbline::engine
