#include "plumbline/firewall/observe/ruleset.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_map>

#include "plumbline/firewall/bytes/iptables_tables.hpp"
#include "plumbline/firewall/observe/saved.hpp"
#include "whole_rules.hpp"

namespace plumbline::firewall {

namespace {

Chain::Key key_of_chain(const DumpedChain& chain) {
  return {chain.family, chain.table, chain.name};
}

bool needs_text(const FirewallRule& rule) { return rule.text().empty(); }

/// ebtables prints the policy of a chain as no rule; in a spec it is this one.
std::string text_of_policy(const RuleCode& code) {
  const std::vector<std::string> targets = targets_of(code);
  return targets.empty() ? std::string() : "-j " + targets.front();
}

void describe(const DumpedChain& chain, HaveChain& held) {
  held.handle = chain.handle;
  held.hook = chain.hook;
  held.family = chain.family;
  held.table = chain.table;
  held.name = chain.name;
  held.policy = chain.policy;
  if (chain.hook && !chain.policy) held.policy = "ACCEPT";
  held.claimed = chain.userdata == chain_claim();
}

bool lacks_text(const HaveChain& chain, bool ours, bool all) {
  return std::ranges::any_of(chain.rules, [&](const FirewallRule& rule) {
    return needs_text(rule) && (all || ours || rule.carries_mark());
  });
}

bool is_same(const HaveChain& one, const HaveChain& other) {
  return one.handle == other.handle && one.hook == other.hook && one.policy == other.policy &&
         one.claimed == other.claimed && one.handles == other.handles && one.rules == other.rules;
}

/// The rules of a chain as it was seen, found again in the order in which they are dumped.
class Earlier {
 public:
  explicit Earlier(const HaveChain* chain) : chain_(chain) {}

  /// What had that handle, or may have it: `iptables -R` puts another rule under the same one.
  const FirewallRule* find(std::uint64_t handle) {
    if (chain_ == nullptr) return nullptr;
    const std::vector<std::uint64_t>& handles = chain_->handles;
    if (next_ >= handles.size() || (handles[next_] != handle && handles[next_] != 0)) {
      const auto found = places().find(handle);
      if (found == places().end()) return nullptr;
      next_ = found->second;
    }
    return &chain_->rules[next_++];
  }

 private:
  const std::unordered_map<std::uint64_t, std::size_t>& places() {
    if (places_.empty()) {
      for (std::size_t i = 0; i < chain_->handles.size(); ++i) places_[chain_->handles[i]] = i;
    }
    return places_;
  }

  const HaveChain* chain_;
  std::size_t next_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> places_;  ///< by handle; made when it is needed
};

}  // namespace

bool Ruleset::is_current(Nfnetlink& kernel, const std::set<Chain::Key>& chains) const {
  return generation_ != 0 && std::ranges::includes(wanted_, chains) &&
         kernel.generation() == generation_;
}

void Ruleset::observe(io::Host& host, const std::set<Chain::Key>& wanted, bool nft, State& state) {
  Nfnetlink kernel(host);
  nft_ = nft;
  if (!nft && !kernel.is_there()) return;
  if (!is_current(kernel, wanted)) look_until_whole(kernel, wanted);
  if (unsorted_) sort_out_all();
  fill(state);
}

std::uint32_t Ruleset::look_at(Nfnetlink& kernel, const std::set<Chain::Key>& chains, bool nft) {
  nft_ = nft;
  if (is_current(kernel, chains)) return generation_;
  const std::uint32_t generation = kernel.generation();
  read(kernel, [&](const Chain::Key& where, const DumpedChain&, bool /*same*/) {
    return chains.contains(where);
  });
  return generation;
}

const HaveChain* Ruleset::find(const Chain::Key& chain) const {
  const auto found = seen_.find(chain);
  return found == seen_.end() ? nullptr : &found->second;
}

bool Ruleset::has_chains(Family family, std::string_view table) const {
  const auto first = seen_.lower_bound({family, std::string(table), {}});
  return first != seen_.end() && first->first.family == family && first->first.table == table;
}

bool Ruleset::take_over(Nfnetlink& kernel, std::map<Chain::Key, HaveChain> changed) {
  const std::uint32_t before = std::exchange(generation_, 0);
  bool whole = before != 0;
  std::map<Chain::Key, HaveChain> seen;
  for (const DumpedChain& chain : kernel.chains()) {
    if (!uses_nft(chain.family, nft_) || !is_iptables_table(chain.family, chain.table)) continue;
    Chain::Key where = key_of_chain(chain);
    auto held = changed.extract(where);
    if (held.empty()) held = seen_.extract(where);
    whole = whole && !held.empty();
    if (held.empty()) continue;
    describe(chain, held.mapped());
    seen.insert(std::move(held));
  }
  // nf_tables_commit() in net/netfilter/nf_tables_api.c leaves out 0.
  const std::uint32_t after = before + 1 == 0 ? 1 : before + 1;
  seen_ = std::move(seen);
  unsorted_ = fresh_ = true;
  if (!whole || !changed.empty() || kernel.generation() != after) return false;
  generation_ = after;
  return true;
}

void Ruleset::expect(std::map<Chain::Key, HaveChain> changed) {
  generation_ = 0;
  for (auto& [where, held] : changed) {
    const auto seen = seen_.find(where);
    if (seen == seen_.end()) continue;
    seen->second.rules = std::move(held.rules);
    seen->second.handles = std::move(held.handles);
  }
}

FirewallRule Ruleset::known(const FirewallRule& rule) const {
  const auto found = book_.find(rule);
  return found == book_.end() ? rule : *found;
}

void Ruleset::read_rules(Nfnetlink& kernel, std::vector<DumpedRule> rules, const HaveChain* before,
                         HaveChain& held) {
  held.handles.reserve(rules.size());
  held.rules.reserve(rules.size());
  Earlier earlier(before);
  for (DumpedRule& rule : rules) {
    held.handles.push_back(rule.handle);
    const FirewallRule* const candidate = earlier.find(rule.handle);
    RuleCode code = kernel.code(std::move(rule));
    if (candidate != nullptr && candidate->code() == code) {
      held.rules.push_back(*candidate);
      continue;
    }
    std::string text = is_chain_policy(code) ? text_of_policy(code) : std::string();
    held.rules.push_back(known(FirewallRule(std::move(text), std::move(code))));
  }
}

void Ruleset::read_chains(Nfnetlink& kernel, const std::vector<DumpedChain>& chains,
                          std::optional<std::vector<DumpedRule>> dumped,
                          const MustRead& must_read) {
  const bool first = seen_.empty();
  std::map<Chain::Key, std::vector<DumpedRule>> by_chain;
  if (dumped) {
    for (DumpedRule& rule : *dumped) {
      by_chain[{rule.family, rule.table, rule.chain}].push_back(std::move(rule));
    }
  }
  std::map<Chain::Key, HaveChain> seen;
  for (const DumpedChain& chain : chains) {
    const Chain::Key where = key_of_chain(chain);
    const auto old = seen_.find(where);
    const bool same = old != seen_.end() && old->second.handle == chain.handle;
    if (!first && !must_read(where, chain, same)) {
      if (same) seen.insert(seen_.extract(old));
      continue;
    }
    HaveChain& held = seen[where];
    describe(chain, held);
    if (dumped) {
      read_rules(kernel, std::move(by_chain[where]), nullptr, held);
    } else if (auto rules = kernel.rules(where)) {
      read_rules(kernel, std::move(*rules), same ? &old->second : nullptr, held);
    }
  }
  seen_ = std::move(seen);
}

void Ruleset::read(Nfnetlink& kernel, const MustRead& must_read) {
  unsorted_ = fresh_ = true;
  generation_ = 0;
  std::optional<std::vector<DumpedRule>> dumped;
  if (seen_.empty()) dumped = kernel.all_rules();
  std::vector<DumpedChain> chains = kernel.chains();
  std::erase_if(chains, [&](const DumpedChain& chain) {
    return !uses_nft(chain.family, nft_) || !is_iptables_table(chain.family, chain.table);
  });
  const bool all_at_once = dumped.has_value();
  read_chains(kernel, chains, std::move(dumped), must_read);
  if (all_at_once && find_short(chains, seen_)) {
    seen_.clear();
    read_chains(kernel, chains, {}, must_read);
  }
  const std::map<Chain::Key, HaveChain>& seen = seen_;
  demand_whole(kernel, chains, seen,
               [&](const Chain::Key& where) { return matters(where, seen.at(where)); });
}

bool Ruleset::matters(const Chain::Key& where, const HaveChain& held) const {
  return wanted_.contains(where) || held.hook || held.claimed ||
         std::ranges::any_of(held.rules, &FirewallRule::carries_mark);
}

bool Ruleset::is_as_before(const HaveChains& before) const {
  const auto all_in = [this](const HaveChains& these, const HaveChains& others) {
    return std::ranges::all_of(these, [&](const auto& chain) {
      const auto& [where, held] = chain;
      if (!matters(where, held)) return true;
      const auto other = others.find(where);
      return other != others.end() && is_same(held, other->second);
    });
  };
  return all_in(before, seen_) && all_in(seen_, before);
}

/// The kernel's list of the rules of a chain that is gone is an empty one (nf_tables_dump_rules()
/// in net/netfilter/nf_tables_api.c).
void Ruleset::forget_others_that_are_gone(Nfnetlink& kernel) {
  std::map<Chain::Key, std::uint64_t> there;
  for (const DumpedChain& chain : kernel.chains()) there[key_of_chain(chain)] = chain.handle;
  std::erase_if(seen_, [&](const auto& chain) {
    const auto& [where, held] = chain;
    const auto found = there.find(where);
    return !matters(where, held) && (found == there.end() || found->second != held.handle);
  });
}

void Ruleset::look_until_whole(Nfnetlink& kernel, const std::set<Chain::Key>& wanted) {
  constexpr int most_looks = 6;
  constexpr int most_looks_in_a_row = 3;
  const bool nothing_known = seen_.empty();
  std::optional<std::pair<HaveChains, std::set<TableKey>>> before;
  for (int looks = 0; looks < most_looks; ++looks) {
    const int waits = looks - most_looks_in_a_row;
    if (waits >= 0) std::this_thread::sleep_for(std::chrono::milliseconds(2 << waits));
    torn_ = !look(kernel, wanted);
    if (!torn_) return;
    // What two looks saw alike was so at any moment between them.
    torn_ = !before || before->second != dormant_ || !is_as_before(before->first);
    if (!torn_ || looks + 1 == most_looks) break;
    before.emplace(seen_, dormant_);
    // Chains of others are read once, so it has to be at a moment that counts.
    if (nothing_known) seen_.clear();
  }
  forget_others_that_are_gone(kernel);
}

bool Ruleset::look(Nfnetlink& kernel, const std::set<Chain::Key>& wanted) {
  const std::uint32_t before = kernel.generation();
  wanted_ = wanted;
  read(kernel, [&](const Chain::Key& where, const DumpedChain& chain, bool same) {
    if (!same || chain.hook || chain.userdata == chain_claim() || wanted.contains(where)) {
      return true;
    }
    return std::ranges::any_of(seen_.at(where).rules, &FirewallRule::carries_mark);
  });
  dormant_.clear();
  for (DumpedTable& table : kernel.tables()) {
    if (table.dormant && uses_nft(table.family, nft_)) {
      dormant_.emplace(table.family, std::move(table.name));
    }
  }
  if (kernel.generation() == before) generation_ = before;
  return generation_ != 0;
}

void Ruleset::sort_out_all() {
  chains_.clear();
  shared_.clear();
  for (const auto& [where, held] : seen_) sort_out(held, chains_, shared_);
  unsorted_ = false;
}

void Ruleset::fill(State& state) const {
  const auto replace = [this]<class K>(std::vector<K>& values, const std::vector<K>& seen) {
    std::erase_if(values, [this](const K& value) { return uses_nft(value.family, nft_); });
    values.insert(values.end(), seen.begin(), seen.end());
    std::ranges::stable_sort(values, std::ranges::less{},
                             [](const K& value) { return key(value); });
  };
  replace(state.of<Chain>(), chains_);
  replace(state.of<SharedChain>(), shared_);
}

void Ruleset::take_saved(io::Host& host, Family family) {
  Saved saved;
  try {
    saved = ask_for_saved(host, family);
  } catch (const io::HostError&) {
    // iptables prints nothing of a table with one rule that it does not understand. The text is
    // only shown: what is there is known by its code.
    return;
  }
  for (SavedChain& chain : saved.chains) {
    const auto found = seen_.find({family, chain.table, chain.name});
    if (found == seen_.end()) continue;
    RuleList::Rules& rules = found->second.rules;
    const bool has_policy = !rules.empty() && is_chain_policy(*rules.back().code());
    if (rules.size() != chain.rules.size() + (has_policy ? 1 : 0)) continue;
    for (std::size_t i = 0; i < chain.rules.size(); ++i) {
      if (needs_text(rules[i]))
        rules[i] = FirewallRule(std::move(chain.rules[i]), *rules[i].code());
    }
  }
}

void Ruleset::name_rules(io::Host& host, const RuleBook& compiled, bool all, State& state) {
  if (!fresh_ && compiled == compiled_) return;
  compiled_ = compiled;
  fresh_ = false;
  std::set<Family> lacking;
  for (auto& [where, chain] : seen_) {
    // Rules are shared with the compiled ones, so that comparing them looks at no byte.
    for (FirewallRule& rule : chain.rules) {
      const auto found = compiled->find(rule);
      if (found != compiled->end()) rule = *found;
    }
    const bool ours = chain.claimed || std::ranges::any_of(chain.rules, &FirewallRule::is_mark);
    if (lacks_text(chain, ours, all)) lacking.insert(chain.family);
  }
  for (const Family family : lacking) take_saved(host, family);
  book_ = *compiled;
  for (const auto& [where, held] : seen_) {
    for (const FirewallRule& rule : held.rules) {
      if (!needs_text(rule)) book_.insert(rule);
    }
  }
  sort_out_all();
  fill(state);
}

}  // namespace plumbline::firewall
