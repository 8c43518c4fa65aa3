#include "wanted_rules.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace plumbline::firewall {

namespace {

/// Keeps rules apart in the scratch chain: no rule of a spec can hold its control character.
const std::string marker = "-m comment --comment \"\001\"";

/// Targets that the kernel looks up by a name: whether it takes a rule depends on others that have
/// the same. `-m rateest` wants the estimator to be there; an IDLETIMER or CLUSTERIP must be like
/// the first of its name (net/netfilter/xt_rateest.c, xt_IDLETIMER.c, net/ipv4/netfilter/
/// ipt_CLUSTERIP.c).
constexpr std::array<std::string_view, 3> linked_targets{"RATEEST", "IDLETIMER", "CLUSTERIP"};

void add_rules(WantedChain& chain, const std::vector<Origin>* origins) {
  chain.inserts = chain.insert.size();
  chain.rules.reserve(chain.insert.size() + chain.append.size());
  const std::string* last = nullptr;
  for (const RuleList* part : {&chain.insert, &chain.append}) {
    for (const FirewallRule& rule : *part) {
      const std::size_t place = chain.rules.size();
      const bool has_place = origins != nullptr && place < origins->size();
      chain.rules.push_back({&rule, has_place ? &(*origins)[place] : nullptr, {}});
      for (const std::string& target : rule.targets()) {
        if (last == nullptr || *last != target) chain.jumps.insert(target);
        last = &target;
      }
    }
  }
}

}  // namespace

WantedRules::WantedRules(const spec::Desired& desired, const State& have, Family family)
    : family_(family) {
  const auto add = [&](WantedChain chain, const Key& key) {
    const auto origins = desired.rule_origins.find(key);
    add_rules(chain, origins == desired.rule_origins.end() ? nullptr : &origins->second);
    chains_.push_back(std::move(chain));
  };
  for (const Chain& chain : desired.state.of<Chain>()) {
    if (chain.family != family) continue;
    add({chain.table, chain.name, false, chain.rules, {}, {}}, key(chain));
    declared_.emplace(chain.table, chain.name);
  }
  for (const SharedChain& chain : desired.state.of<SharedChain>()) {
    if (chain.family != family || chain.insert.size() + chain.append.size() == 0) continue;
    add({chain.table, chain.name, true, chain.insert, chain.append, {}}, key(chain));
    if (!is_builtin_chain(chain.family, chain.table, chain.name))
      declared_.emplace(chain.table, chain.name);
  }
  std::ranges::stable_sort(chains_, std::ranges::less{}, &WantedChain::table);
  for (const WantedChain& chain : chains_) {
    for (const std::string& name : chain.jumps) {
      if (have.find<Chain>({family, chain.table, name})) declared_.emplace(chain.table, name);
    }
  }
}

bool WantedRules::is_shared(std::string_view table, std::string_view name) const {
  return std::ranges::any_of(chains_, [&](const WantedChain& chain) {
    return chain.shared && chain.table == table && chain.name == name;
  });
}

std::string WantedRules::topology() const {
  std::string text(format(family_));
  text += "\n";
  for (const WantedChain& chain : chains_) {
    text += chain.table + " " + chain.name + (chain.shared ? " shared\n" : "\n");
    for (const std::string& name : chain.jumps) {
      const bool there = declared_.contains({chain.table, name});
      if (there || !is_target(name, family_)) text += (there ? "> " : "? ") + name + "\n";
    }
    for (const std::string_view target : linked_targets) {
      if (!chain.jumps.contains(target)) continue;
      for (const WantedRule& rule : chain.rules) {
        if (rule.written->leads_to(target)) text += "= " + rule.text() + "\n";
      }
    }
  }
  return text;
}

bool WantedRules::apart(const WantedChain& chain, std::size_t rule) const {
  if (family_ == Family::bridge) return false;  // every line of ebtables is one rule
  // iptables makes one rule for each address of a list.
  const auto listed = [&](std::size_t i) {
    return chain.rules[i].text().find(',') != std::string::npos;
  };
  return rule + 1 == chain.inserts || all_apart_ || listed(rule) ||
         (rule + 1 < chain.rules.size() && listed(rule + 1));
}

Input WantedRules::input(Form form, const std::function<bool(const WantedRule&)>& included) {
  // RETURN is what a chain of ebtables does at its end when it has no policy of its own.
  const std::string declaration = family_ == Family::bridge ? " RETURN" : " - [0:0]";
  Input input;
  std::string table;
  const auto add = [&](const std::string& line, WantedRule* rule) {
    input.text += line + "\n";
    input.lines.push_back(rule);
    input.tables.push_back(table);
  };
  for (WantedChain& chain : chains_) {
    if (chain.table != table) {
      if (!table.empty()) add("COMMIT", nullptr);
      table = chain.table;
      add("*" + table, nullptr);
      for (const auto& [in, name] : declared_) {
        if (in == table) add(":" + name + declaration, nullptr);
      }
    }
    const std::string append = "-A " + chain.name + " ";
    for (std::size_t i = 0; i < chain.rules.size(); ++i) {
      WantedRule& rule = chain.rules[i];
      if (!rule.refused && (!included || included(rule))) {
        if (form == Form::written) add(append + restore_rule(*rule.written), &rule);
        if (form == Form::saved) {
          for (const FirewallRule& saved : rule.saved) {
            add(append + restore_rule(saved), &rule);
          }
        }
      }
      if (apart(chain, i)) add(append + marker, nullptr);
    }
  }
  if (!table.empty()) add("COMMIT", nullptr);
  return input;
}

bool WantedRules::read_back(std::vector<HaveChain> chains) {
  std::map<std::pair<std::string_view, std::string_view>, const HaveChain*> by_name;
  for (const HaveChain& chain : read_.emplace_back(std::move(chains))) {
    by_name[{chain.table, chain.name}] = &chain;
  }
  bool clear = true;
  for (WantedChain& chain : chains_) {
    const auto found = by_name.find({chain.table, chain.name});
    const HaveChain* const saved = found == by_name.end() ? nullptr : found->second;
    std::size_t next = 0;
    std::vector<WantedRule*> group;
    for (std::size_t i = 0; saved != nullptr && i < chain.rules.size(); ++i) {
      if (!chain.rules[i].refused) group.push_back(&chain.rules[i]);
      if (i + 1 < chain.rules.size() && !apart(chain, i)) continue;
      const std::size_t start = next;
      while (next < saved->rules.size() && saved->rules[next].text() != marker) ++next;
      if (group.size() > 1 && next - start != group.size()) clear = false;
      for (std::size_t j = 0; j < group.size(); ++j) {
        const std::size_t first = std::min(start + j, next);
        const std::size_t end = j + 1 == group.size() ? next : std::min(start + j + 1, next);
        group[j]->saved = std::span(saved->rules).subspan(first, end - first);
      }
      group.clear();
      ++next;
    }
    clear = clear && saved != nullptr;
  }
  if (!clear) all_apart_ = true;
  return clear;
}

std::vector<std::set<std::string_view>> WantedRules::ways_to_unknown() const {
  using Name = std::pair<std::string_view, std::string_view>;
  std::map<Name, std::vector<std::size_t>> from;  // by a chain: those that lead to it
  std::vector<Name> open;
  std::set<Name> reached;
  const auto reach = [&](const Name& name) {
    if (reached.insert(name).second) open.push_back(name);
  };
  for (std::size_t i = 0; i < chains_.size(); ++i) {
    const WantedChain& chain = chains_[i];
    for (const std::string& name : chain.jumps) {
      if (declared_.contains({chain.table, name})) from[{chain.table, name}].push_back(i);
    }
    const bool all_known = std::ranges::all_of(chain.rules, &WantedRule::known);
    if (!all_known) reach({chain.table, chain.name});
  }
  std::vector<std::set<std::string_view>> ways(chains_.size());
  while (!open.empty()) {
    const Name to = open.back();
    open.pop_back();
    for (const std::size_t chain : from[to]) {
      ways[chain].insert(to.second);
      reach({chains_[chain].table, chains_[chain].name});
    }
  }
  return ways;
}

WantedRules WantedRules::part() const {
  WantedRules part(family_);
  std::vector<std::set<std::string_view>> ways = ways_to_unknown();
  for (std::size_t i = 0; i < chains_.size(); ++i) {
    const WantedChain& whole = chains_[i];
    WantedChain chain{whole.table, whole.name, whole.shared, whole.insert, whole.append, {}};
    for (std::size_t place = 0; place < whole.rules.size(); ++place) {
      const WantedRule& rule = whole.rules[place];
      if (rule.known && ways[i].empty()) continue;
      bool included = !rule.known;
      for (const std::string& target : rule.written->targets()) {
        included = ways[i].erase(target) != 0 || included;
      }
      if (!included) continue;
      chain.rules.push_back({rule.written, rule.origin, {}});
      if (place < whole.inserts) chain.inserts = chain.rules.size();
      for (const std::string& target : rule.written->targets()) {
        chain.jumps.insert(target);
        if (declared_.contains({whole.table, target})) {
          part.declared_.emplace(whole.table, target);
        }
      }
    }
    if (chain.rules.empty()) continue;
    if (declared_.contains({whole.table, whole.name})) {
      part.declared_.emplace(whole.table, whole.name);
    }
    part.chains_.push_back(std::move(chain));
  }
  return part;
}

bool WantedRules::take(const WantedRules& part) {
  auto chain = part.chains_.begin();
  for (WantedChain& whole : chains_) {
    if (chain == part.chains_.end()) break;
    if (whole.table != chain->table || whole.name != chain->name) continue;
    auto rule = chain->rules.begin();
    for (WantedRule& wanted : whole.rules) {
      if (rule == chain->rules.end()) break;
      if (rule->written != wanted.written) continue;
      if (!wanted.known) wanted.saved = rule->saved;
      ++rule;
    }
    if (rule != chain->rules.end()) return false;
    ++chain;
  }
  return chain == part.chains_.end();
}

bool WantedRules::add_stub(std::string_view name) {
  bool added = false;
  for (const WantedChain& chain : chains_) {
    if (chain.jumps.contains(name)) added = declared_.emplace(chain.table, name).second || added;
  }
  return added;
}

std::vector<std::string> WantedRules::undeclared() const {
  std::set<std::string> names;
  for (const WantedChain& chain : chains_) {
    for (const std::string& name : chain.jumps) {
      if (!is_target(name, family_) && !declared_.contains({chain.table, name})) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace plumbline::firewall
