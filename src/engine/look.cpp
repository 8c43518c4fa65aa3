#include "look.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

namespace plumbline::engine {

namespace {

Scope scope_of(const State& desired, const State& earlier) {
  std::set<std::string> paths;
  for (const State* state : {&desired, &earlier}) {
    for (const Sysctl& sysctl : state->of<Sysctl>()) paths.insert(sysctl.path);
  }
  return {{paths.begin(), paths.end()}};
}

ChainScope chain_scope(const spec::Desired& desired) {
  ChainScope scope;
  for (const Chain& chain : desired.state.of<Chain>()) scope.chains.insert(key(chain));
  for (const SharedChain& chain : desired.state.of<SharedChain>()) {
    scope.chains.insert({chain.family, chain.table, chain.name});
  }
  scope.ipsets = named_sets(desired);
  return scope;
}

}  // namespace

Observed look(const Workshop& workshop, const spec::Desired& desired, const State& earlier,
              Observed around) {
  return observe(workshop.host, workshop.ruleset, workshop.compiler.linked(),
                 scope_of(desired.state, earlier), chain_scope(desired), std::move(around));
}

void name_rules(const Workshop& workshop, State& state) {
  workshop.ruleset.name_rules(workshop.host, workshop.compiler.book(), false, state);
}

Observed look_after(const Workshop& workshop, const spec::Desired& desired, const State& earlier) {
  constexpr int most_looks = 20;
  constexpr std::chrono::milliseconds wait{100};
  const auto look_now = [&] {
    Observed seen = look(workshop, desired, earlier, look_around(workshop.host));
    name_rules(workshop, seen.state);
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
