#include "plumbline/kinds/chain.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "chain_rule.hpp"
#include "plumbline/wire/iptables.hpp"

namespace plumbline {

namespace {

constexpr std::array<std::string_view, 6> builtin_names = {"PREROUTING", "INPUT",       "FORWARD",
                                                           "OUTPUT",     "POSTROUTING", "BROUTING"};

std::vector<wire::Request> restore(const Chain& chain, const std::vector<std::string>& lines) {
  return {wire::FirewallRestore{chain.family, wire::restore_text(chain.table, lines)}};
}

/// Under --noflush the declaration empties a chain that is there, in the same commit that fills it.
std::vector<wire::Request> rewrite(const Chain& chain) {
  std::vector<std::string> lines;
  lines.reserve(chain.rules.size() + 2);
  lines.push_back(":" + chain.name + " - [0:0]");
  const std::string add = "-A " + chain.name + " ";
  for (const std::string& rule : chain.rules) lines.push_back(add + wire::restore_rule(rule));
  if (chain.marked) lines.push_back(add + std::string(mark_rule));
  return restore(chain, lines);
}

}  // namespace

std::vector<wire::Request> Chain::queries(const Scope&) {
  return {wire::FirewallDump{Family::inet}, wire::FirewallDump{Family::inet6}};
}

void Chain::decode(const wire::Request& request, const wire::Reply& reply, const LinkNames&,
                   std::vector<Chain>& out) {
  const Family family = std::get<wire::FirewallDump>(request).family;
  for (wire::SavedTable& table : wire::read_save(reply.text)) {
    for (wire::SavedChain& saved : table.chains) {
      if (saved.policy) continue;
      Chain chain{family, table.name, std::move(saved.name), std::move(saved.rules), false};
      chain.marked = !chain.rules.empty() && chain.rules.back() == mark_rule;
      if (chain.marked) chain.rules.pop_back();
      out.push_back(std::move(chain));
    }
  }
}

std::optional<Chain> Chain::from_spec(const wire::Entry& entry, Family family,
                                      std::string_view table) {
  const std::string name(entry.key());
  std::string problem = wire::chain_name_refusal(name);
  if (is_builtin_name(name)) {
    problem = "'" + name + "' is the name of a built-in chain: its rules go into 'shared'";
  }
  if (!problem.empty()) entry.error(Code::invalid_chain_name, problem);
  if (!entry.is_object()) return std::nullopt;
  entry.only({"rules"});
  Chain chain{family, std::string(table), name, rules_from_spec(entry, "rules", false), false};
  return problem.empty() ? std::optional(std::move(chain)) : std::nullopt;
}

Chain::Key key(const Chain& chain) { return {chain.family, chain.table, chain.name}; }

std::string format(const Chain::Key& key) {
  return "chain " + std::string(format(key.family)) + " " + key.table + " " + key.name;
}

std::vector<Need> needs(const Chain&) { return {}; }

bool is_marked(const Chain& chain, const Mark&) { return chain.marked; }

Chain with_mark(Chain chain, const Mark&) {
  chain.marked = true;
  return chain;
}

Chain complete(Chain want, const Chain&) { return want; }

Transition transition(const Chain& have, const Chain& want) {
  if (have == want) return {};
  return {Change::update, Disruption::counters};
}

std::vector<wire::Request> create(const Chain& chain, const LinkNames&) { return rewrite(chain); }

std::vector<wire::Request> update(const Chain&, const Chain& want, const LinkNames&) {
  return rewrite(want);
}

std::vector<wire::Request> remove(const Chain& chain, const LinkNames&) {
  return restore(chain, {"-F " + chain.name, "-X " + chain.name});
}

boost::json::value to_spec(const Chain& chain) {
  boost::json::array rules(chain.rules.begin(), chain.rules.end());
  return boost::json::object{{"rules", std::move(rules)}};
}

bool is_builtin_name(std::string_view name) {
  return std::ranges::find(builtin_names, name) != builtin_names.end();
}

bool is_builtin_chain(std::string_view table, std::string_view name) {
  if (!is_builtin_name(name) || name == "BROUTING") return false;
  if (table == "mangle") return true;
  if (table == "filter" || table == "security")
    return name != "PREROUTING" && name != "POSTROUTING";
  if (table == "nat") return name != "FORWARD";
  return table == "raw" && (name == "PREROUTING" || name == "OUTPUT");
}

std::vector<std::string> jumps_of(std::string_view rule) {
  const auto words = wire::split_words(rule);
  return words ? wire::jumps_of(*words) : std::vector<std::string>();
}

}  // namespace plumbline
