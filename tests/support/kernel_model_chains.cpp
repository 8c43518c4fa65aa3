// Chains of the model: what iptables-restore takes and what it refuses.

#include <algorithm>

#include "plumbline/firewall/text/iptables.hpp"
#include "tests/support/model_state.hpp"

namespace plumbline::testing {

namespace {

/// The refusal of rules that jump to what is not there; nothing where they jump nowhere else.
std::string refused_jump(State& state, Family family, const std::string& table,
                         const RuleList& rules) {
  for (const FirewallRule& rule : rules) {
    for (const std::string& target : rule.targets()) {
      if (firewall::is_target(target, family)) continue;
      if (find<Chain>(state, {family, table, target}) == nullptr) return "ENOENT: " + target;
    }
  }
  return {};
}

/// As it is seen from then on: ours by its mark rule, whatever we called it.
Chain seen(Chain chain) {
  chain.marked = std::ranges::any_of(chain.rules, &FirewallRule::is_mark);
  return chain;
}

}  // namespace

std::string KernelModel::make(const Chain& want) {
  const Chain chain = seen(want);
  if (find<Chain>(state_, key(chain)) != nullptr) return "EEXIST: " + format(key(chain));
  const std::string refused = refused_jump(state_, chain.family, chain.table, chain.rules);
  if (!refused.empty()) return refused;
  if (!chain.marked) {
    SharedChain shared{chain.family, chain.table, chain.name, {}, {}, {}, {}, {}, true};
    shared.only_ours = chain.rules.empty();
    insert(state_, shared);
  }
  return insert(state_, chain);
}

std::string KernelModel::change(const Chain& before, const Chain& after) {
  const std::string refused = refused_jump(state_, after.family, after.table, after.rules);
  return refused.empty() ? replace(state_, before, seen(after)) : refused;
}

std::string KernelModel::destroy(const Chain& chain) {
  const auto jumps_here = [&](const auto& other, const RuleList& rules) {
    return other.family == chain.family && other.table == chain.table &&
           std::ranges::any_of(rules,
                               [&](const FirewallRule& rule) { return rule.leads_to(chain.name); });
  };
  for (const Chain& other : state_.of<Chain>()) {
    if (jumps_here(other, other.rules)) return "EBUSY: " + format(key(chain));
  }
  for (const SharedChain& other : state_.of<SharedChain>()) {
    if (jumps_here(other, other.insert)) return "EBUSY: " + format(key(chain));
    if (jumps_here(other, other.append)) return "EBUSY: " + format(key(chain));
  }
  return erase(state_, chain);
}

std::string KernelModel::make(const SharedChain& want) {
  const SharedChain* there = find<SharedChain>(state_, key(want));
  if (there != nullptr) return change(*there, want);
  if (!is_builtin_chain(want.family, want.table, want.name)) {
    if (find<Chain>(state_, {want.family, want.table, want.name}) == nullptr) {
      return "ENOENT: " + format(key(want));
    }
  }
  SharedChain made = want;
  if (!made.policy && is_builtin_chain(want.family, want.table, want.name)) made.policy = "ACCEPT";
  made.insert = made.insert.followed_by(made.append);
  made.append = {};
  const std::string refused = refused_jump(state_, made.family, made.table, made.insert);
  return refused.empty() ? insert(state_, made) : refused;
}

std::string KernelModel::change(const SharedChain& before, const SharedChain& after) {
  SharedChain* there = find<SharedChain>(state_, key(before));
  if (there == nullptr) return "ENOENT: " + format(key(before));
  for (const auto* rules : {&after.insert, &after.append}) {
    const std::string refused = refused_jump(state_, after.family, after.table, *rules);
    if (!refused.empty()) return refused;
  }
  if (after.policy) there->policy = after.policy;
  there->insert = after.insert;
  there->append = after.append;
  there->strays = {};
  there->stray_places.clear();
  if (there->only_ours) {
    there->insert = there->insert.followed_by(there->append);
    there->append = {};
  }
  return {};
}

std::string KernelModel::destroy(const SharedChain& chain) {
  SharedChain without = chain;
  without.policy.reset();
  without.insert = {};
  without.append = {};
  return change(chain, without);
}

}  // namespace plumbline::testing
