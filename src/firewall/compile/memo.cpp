#include "memo.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>

namespace plumbline::firewall {

namespace {

Memo::Name name_of(const WantedChain& chain) { return {chain.table, chain.name, chain.shared}; }

bool is_unchanged(const WantedChain& chain, const CompiledChain* known) {
  return known != nullptr && known->texts.size() == chain.rules.size() &&
         known->made_insert.size() == (chain.inserts == 0 ? 0 : known->ends[chain.inserts - 1]) &&
         std::ranges::equal(chain.rules, known->texts, {}, &WantedRule::text);
}

/// Most often an edit is in one place: what is before and behind it needs no search.
void take_chain(WantedChain& chain, const CompiledChain& known) {
  const std::size_t wanted = chain.rules.size();
  const std::size_t had = known.texts.size();
  const auto take = [&](std::size_t to, std::size_t from) {
    chain.rules[to].saved = known.made(from);
    chain.rules[to].known = true;
  };
  std::size_t first = 0;
  while (first < std::min(wanted, had) && chain.rules[first].text() == known.texts[first]) {
    take(first, first);
    ++first;
  }
  std::size_t last = 0;
  while (last < std::min(wanted, had) - first &&
         chain.rules[wanted - last - 1].text() == known.texts[had - last - 1]) {
    ++last;
    take(wanted - last, had - last);
  }
  if (first + last == wanted) return;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = first; i < had - last; ++i) places.emplace(known.texts[i], i);
  for (std::size_t i = first; i < wanted - last; ++i) {
    const auto found = places.find(chain.rules[i].text());
    if (found != places.end()) take(i, found->second);
  }
}

CompiledChain learn(const WantedChain& chain, const FirewallRuleSet& book) {
  const auto shared = [&](const FirewallRule& rule) {
    const auto found = book.find(rule);
    return found != book.end() && found->text() == rule.text() ? *found : rule;
  };
  CompiledChain known{chain.insert, chain.append, nullptr, {}, {}, {}, {}, chain.warnings};
  known.texts.reserve(chain.rules.size());
  known.ends.reserve(chain.rules.size());
  RuleList::Rules made;
  made.reserve(chain.rules.size());
  std::uint32_t end = 0;
  for (std::size_t i = 0; i <= chain.rules.size(); ++i) {
    if (i == chain.inserts) known.made_insert = std::exchange(made, {});
    if (i == chain.rules.size()) break;
    const WantedRule& rule = chain.rules[i];
    if (!rule.refused) {
      for (const FirewallRule& saved : rule.saved) {
        made.push_back(rule.known ? saved : shared(saved));
      }
      end += static_cast<std::uint32_t>(rule.saved.size());
    }
    known.texts.emplace_back(rule.text());
    known.ends.push_back(end);
  }
  known.made_append = std::move(made);
  return known;
}

template <class K>
K& value_of(State& state, const typename K::Key& wanted) {
  return *std::ranges::lower_bound(state.of<K>(), wanted, std::ranges::less{},
                                   [](const K& value) { return key(value); });
}

}  // namespace

std::span<const FirewallRule> CompiledChain::made(std::size_t place) const {
  const std::size_t start = place == 0 ? 0 : ends[place - 1];
  const std::size_t count = ends[place] - start;
  const std::size_t inserts = made_insert.size();
  return start < inserts ? std::span(made_insert.rules()).subspan(start, count)
                         : std::span(made_append.rules()).subspan(start - inserts, count);
}

const CompiledChain* Memo::find(const WantedChain& chain) const {
  const auto found = chains.find(name_of(chain));
  return found == chains.end() ? nullptr : found->second.get();
}

bool take_known(WantedRules& rules, const Memo& known) {
  bool all = true;
  for (WantedChain& chain : rules.chains()) {
    const CompiledChain* earlier = known.find(chain);
    if (earlier != nullptr) take_chain(chain, *earlier);
    all = all && is_unchanged(chain, earlier);
  }
  return all;
}

void drop_known(WantedRules& rules) {
  for (WantedChain& chain : rules.chains()) {
    for (WantedRule& rule : chain.rules) {
      rule.saved = {};
      rule.known = false;
    }
  }
}

Memo known_from(const WantedRules& rules, std::string key, const Memo* earlier,
                const FirewallRuleSet& book) {
  Memo known{std::move(key), rules.declared(), {}};
  for (const WantedChain& chain : rules.chains()) {
    Memo::Name name = name_of(chain);
    const bool all_known = std::ranges::all_of(chain.rules, &WantedRule::known);
    if (all_known && earlier != nullptr && is_unchanged(chain, earlier->find(chain))) {
      known.chains.emplace(name, earlier->chains.at(name));
    } else {
      known.chains.emplace(std::move(name),
                           std::make_shared<const CompiledChain>(learn(chain, book)));
    }
  }
  return known;
}

void store(const Memo& known, Family family, spec::Desired& desired) {
  for (const auto& [table, name] : known.declared) desired.chains.insert({family, table, name});
  for (const auto& [name, chain] : known.chains) {
    const auto& [table, chain_name, shared] = name;
    if (shared) {
      auto& value = value_of<SharedChain>(desired.state, {family, table, chain_name});
      value.insert = chain->made_insert;
      value.append = chain->made_append;
    } else {
      value_of<Chain>(desired.state, {family, table, chain_name}).rules = chain->made_insert;
    }
  }
}

}  // namespace plumbline::firewall
