#include "plumbline/firewall/model/chain.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <iterator>
#include <set>

#include "have_chain.hpp"
#include "mark.hpp"
#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline {

namespace {

constexpr std::array<std::string_view, 6> builtin_names = {"PREROUTING", "INPUT",       "FORWARD",
                                                           "OUTPUT",     "POSTROUTING", "BROUTING"};

std::vector<wire::Request> restore(const Chain& chain, const std::vector<std::string>& lines) {
  return {wire::FirewallRestore{chain.family, firewall::restore_text(chain.table, lines)}};
}

/// Under --noflush the declaration empties a chain that is there, in the same commit that fills it.
std::vector<wire::Request> rewrite(const Chain& chain) {
  std::vector<std::string> lines;
  lines.reserve(chain.rules.size() + 2);
  lines.push_back(":" + chain.name + " - [0:0]");
  const std::string add = "-A " + chain.name + " ";
  for (const FirewallRule& rule : chain.rules) {
    lines.push_back(add + restore_rule(rule));
  }
  return restore(chain, lines);
}

}  // namespace

std::optional<Chain> Chain::from_spec(const wire::Entry& entry, Family family,
                                      std::string_view table) {
  const std::string name(entry.key());
  std::string problem = firewall::chain_name_refusal(name, family);
  if (is_builtin_name(name)) {
    problem = "'" + name + "' is the name of a built-in chain: its rules go into 'shared'";
  }
  if (!problem.empty()) entry.error(Code::invalid_chain_name, problem);
  if (!entry.is_object()) return std::nullopt;
  entry.only({"rules"});
  Chain chain{family, std::string(table), name, RuleList::from_spec(entry, "rules", family), false};
  if (std::ranges::any_of(chain.rules, &FirewallRule::is_mark)) {
    entry.find("rules")->error(Code::invalid_iptables_rule,
                               "one of these rules is the mark that every chain of ours gets");
  }
  return problem.empty() ? std::optional(std::move(chain)) : std::nullopt;
}

Chain::Key key(const Chain& chain) { return {chain.family, chain.table, chain.name}; }

std::string format(const Chain::Key& key) {
  return "chain " + std::string(format(key.family)) + " " + key.table + " " + key.name;
}

std::vector<Need> needs(const Chain& chain) { return needed_sets(chain.rules); }

bool is_marked(const Chain& chain, const Mark&) { return chain.marked; }

Chain with_mark(Chain chain, const Mark&) {
  chain.marked = true;
  if (chain.rules.empty() || !chain.rules.back().is_mark()) {
    chain.rules = chain.rules.followed_by(RuleList{std::string(mark_rule(chain.family))});
  }
  return chain;
}

Chain complete(Chain want, const Chain&) { return want; }

Transition transition(const Chain& have, const Chain& want) {
  if (have == want) return {};
  return {Change::update,
          loses_counters(have.rules, want.rules) ? Disruption::counters : Disruption::nothing};
}

std::vector<wire::Request> create(const Chain& chain, const LinkNames&) { return rewrite(chain); }

std::vector<wire::Request> update(const Chain&, const Chain& want, const LinkNames&) {
  return rewrite(want);
}

std::vector<wire::Request> remove(const Chain& chain, const LinkNames&) {
  return restore(chain, {"-F " + chain.name, "-X " + chain.name});
}

boost::json::value to_spec(const Chain& chain) {
  boost::json::array rules;
  for (const FirewallRule& rule : chain.rules) {
    if (!rule.is_mark()) rules.emplace_back(rule.text());
  }
  return boost::json::object{{"rules", std::move(rules)}};
}

bool is_builtin_name(std::string_view name) {
  return std::ranges::find(builtin_names, name) != builtin_names.end();
}

bool is_builtin_chain(Family family, std::string_view table, std::string_view name) {
  return firewall::builtin_hook(family, table, name).has_value();
}

void sort_out(HaveChain have, std::vector<Chain>& chains, std::vector<SharedChain>& shared) {
  const bool marked =
      !have.policy && (have.claimed || std::ranges::any_of(have.rules, &FirewallRule::is_mark));
  if (!marked) shared.push_back(ours_in(have));
  if (!have.policy) {
    chains.push_back(
        {have.family, std::move(have.table), std::move(have.name), std::move(have.rules), marked});
  }
}

HaveChain have_chain(Family family, firewall::SavedChain saved) {
  HaveChain chain{family, std::move(saved.table), std::move(saved.name), std::move(saved.policy)};
  chain.rules.assign(std::move_iterator(saved.rules.begin()),
                     std::move_iterator(saved.rules.end()));
  return chain;
}

std::vector<Need> needed_sets(const RuleList& rules) {
  std::set<std::string> names;
  for (const FirewallRule& rule : rules) {
    names.insert(rule.sets().begin(), rule.sets().end());
  }
  std::vector<Need> needs;
  for (const std::string& name : names) needs.emplace_back(NeedsSet{name});
  return needs;
}

bool loses_counters(const RuleList& have, const RuleList& want) {
  const bool nft =
      std::ranges::all_of(have, [](const FirewallRule& rule) { return rule.code().has_value(); });
  // The legacy backend rewrites the chain.
  if (!nft) return !have.empty();
  return !moved_rules(have.rules(), want.rules()).empty();
}

}  // namespace plumbline
