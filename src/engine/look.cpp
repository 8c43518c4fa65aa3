#include "look.hpp"

#include <algorithm>
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

void know_by_place(State& have, const std::vector<spec::Assignment>& copy, const Mark& mark) {
  for (const spec::Assignment& assignment : copy) {
    const Link* const bridge = have.find<Link>({assignment.network});
    if (bridge == nullptr || !is_marked(*bridge, mark)) continue;
    std::vector<Link>& links = have.of<Link>();
    const auto tap = std::ranges::lower_bound(links, assignment.tap, {}, &Link::name);
    if (tap == links.end() || tap->name != assignment.tap || is_marked(*tap, mark)) continue;
    if (tap->kind != LinkKind::tap || tap->master != assignment.network) continue;
    tap->marked = true;
    tap->alias.reset();
  }
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
