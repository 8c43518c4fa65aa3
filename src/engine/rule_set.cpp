#include "rule_set.hpp"

#include <algorithm>

namespace plumbline::engine {

namespace {

/// Keeps rules apart in the scratch chain: no rule of a spec can hold its control character.
const std::string marker = "-m comment --comment \"\001\"";

std::vector<WantedRule> wanted_rules(const RuleList& first, const RuleList& second, const Key& key,
                                     const spec::Desired& desired) {
  const auto origins = desired.rule_origins.find(key);
  std::vector<WantedRule> rules;
  rules.reserve(first.size() + second.size());
  for (const auto* part : {&first, &second}) {
    for (const FirewallRule& rule : *part) {
      Origin origin;
      if (origins != desired.rule_origins.end() && rules.size() < origins->second.size()) {
        origin = origins->second[rules.size()];
      }
      rules.push_back({rule.text(), std::move(origin), rule.targets(), {}, false});
    }
  }
  return rules;
}

const SeenChain* find_chain(const std::vector<SeenChain>& chains, const WantedChain& wanted) {
  const auto found = std::ranges::find_if(chains, [&](const SeenChain& chain) {
    return chain.table == wanted.table && chain.name == wanted.name;
  });
  return found == chains.end() ? nullptr : &*found;
}

RuleList taken(const std::vector<WantedRule>& rules, std::size_t from, std::size_t to) {
  RuleList::Rules result;
  for (std::size_t i = from; i < to; ++i) {
    result.insert(result.end(), rules[i].saved.begin(), rules[i].saved.end());
  }
  return result;
}

}  // namespace

RuleSet::RuleSet(const spec::Desired& desired, const State& have, Family family) : family_(family) {
  for (const Chain& chain : desired.state.of<Chain>()) {
    if (chain.family != family) continue;
    chains_.push_back({chain.table, chain.name, false,
                       wanted_rules(chain.rules, {}, key(chain), desired), chain.rules.size()});
    declared_.emplace(chain.table, chain.name);
  }
  for (const SharedChain& chain : desired.state.of<SharedChain>()) {
    if (chain.family != family || chain.insert.size() + chain.append.size() == 0) continue;
    chains_.push_back({chain.table, chain.name, true,
                       wanted_rules(chain.insert, chain.append, key(chain), desired),
                       chain.insert.size()});
    if (!is_builtin_chain(chain.family, chain.table, chain.name))
      declared_.emplace(chain.table, chain.name);
  }
  std::ranges::stable_sort(chains_, std::ranges::less{}, &WantedChain::table);
  for (const WantedChain& chain : chains_) {
    for (const WantedRule& rule : chain.rules) {
      for (const std::string& name : rule.jumps) {
        if (have.find<Chain>({family, chain.table, name})) declared_.emplace(chain.table, name);
      }
    }
  }
}

bool RuleSet::is_shared(std::string_view table, std::string_view name) const {
  return std::ranges::any_of(chains_, [&](const WantedChain& chain) {
    return chain.shared && chain.table == table && chain.name == name;
  });
}

bool RuleSet::apart(const WantedChain& chain, std::size_t rule) const {
  if (family_ == Family::bridge) return false;  // every line of ebtables is one rule
  // iptables makes one rule for each address of a list.
  const auto listed = [&](std::size_t i) {
    return chain.rules[i].text.find(',') != std::string::npos;
  };
  return rule + 1 == chain.inserts || all_apart_ || listed(rule) ||
         (rule + 1 < chain.rules.size() && listed(rule + 1));
}

Input RuleSet::input(Form form, const std::function<bool(const WantedRule&)>& included) {
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
        if (form == Form::written) add(append + wire::restore_rule(rule.text), &rule);
        if (form == Form::saved) {
          for (const FirewallRule& saved : rule.saved) {
            add(append + wire::restore_rule(saved.text()), &rule);
          }
        }
      }
      if (apart(chain, i)) add(append + marker, nullptr);
    }
  }
  if (!table.empty()) add("COMMIT", nullptr);
  return input;
}

bool RuleSet::read_back(const std::vector<SeenChain>& chains) {
  bool clear = true;
  for (WantedChain& chain : chains_) {
    const SeenChain* saved = find_chain(chains, chain);
    std::size_t next = 0;
    std::vector<WantedRule*> group;
    for (std::size_t i = 0; saved != nullptr && i < chain.rules.size(); ++i) {
      if (!chain.rules[i].refused) group.push_back(&chain.rules[i]);
      if (i + 1 < chain.rules.size() && !apart(chain, i)) continue;
      const std::size_t start = next;
      while (next < saved->rules.size() && saved->rules[next].text() != marker) ++next;
      if (group.size() > 1 && next - start != group.size()) clear = false;
      for (std::size_t j = 0; j < group.size(); ++j) {
        const std::size_t end = j + 1 == group.size() ? next : std::min(start + j + 1, next);
        const auto at = [&](std::size_t place) {
          return saved->rules.begin() + static_cast<std::ptrdiff_t>(place);
        };
        group[j]->saved.assign(at(std::min(start + j, next)), at(end));
      }
      group.clear();
      ++next;
    }
    clear = clear && saved != nullptr;
  }
  if (!clear) all_apart_ = true;
  return clear;
}

bool RuleSet::add_stub(std::string_view name) {
  bool added = false;
  for (const WantedChain& chain : chains_) {
    for (const WantedRule& rule : chain.rules) {
      if (std::ranges::find(rule.jumps, name) == rule.jumps.end()) continue;
      added = declared_.emplace(chain.table, name).second || added;
    }
  }
  return added;
}

std::vector<std::string> RuleSet::undeclared() const {
  std::set<std::string> names;
  for (const WantedChain& chain : chains_) {
    for (const WantedRule& rule : chain.rules) {
      for (const std::string& name : rule.jumps) {
        if (!wire::is_target(name, family_) && !declared_.contains({chain.table, name}))
          names.insert(name);
      }
    }
  }
  return {names.begin(), names.end()};
}

void RuleSet::store(spec::Desired& desired) const {
  for (const WantedChain& chain : chains_) {
    const auto same = [&](const auto& value) {
      return value.family == family_ && value.table == chain.table && value.name == chain.name;
    };
    if (chain.shared) {
      auto& values = desired.state.of<SharedChain>();
      SharedChain& value = *std::ranges::find_if(values, same);
      value.insert = taken(chain.rules, 0, chain.inserts);
      value.append = taken(chain.rules, chain.inserts, chain.rules.size());
    } else {
      auto& values = desired.state.of<Chain>();
      std::ranges::find_if(values, same)->rules = taken(chain.rules, 0, chain.rules.size());
    }
  }
}

}  // namespace plumbline::engine
