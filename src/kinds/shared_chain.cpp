#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <set>

#include "chain_rule.hpp"
#include "plumbline/kinds/chain.hpp"
#include "plumbline/wire/iptables.hpp"

namespace plumbline {

namespace {

using Rules = std::vector<std::string>;

/// Sorts the rules of a chain by whose they are and where they stand.
SharedChain sorted_out(Family family, const std::string& table, const wire::SavedChain& saved) {
  SharedChain chain{family, table, saved.name, saved.policy, {}, {}, {}, {}, true};
  std::vector<bool> ours;
  ours.reserve(saved.rules.size());
  for (const std::string& rule : saved.rules) ours.push_back(carries_mark(rule));
  const auto first_foreign = std::find(ours.begin(), ours.end(), false);
  chain.only_ours = first_foreign == ours.end();
  const auto top = static_cast<std::size_t>(first_foreign - ours.begin());
  std::size_t end = ours.size();
  while (end > top && ours[end - 1]) --end;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (!ours[i]) continue;
    Rules& rules = i < top ? chain.insert : i < end ? chain.strays : chain.append;
    rules.push_back(saved.rules[i]);
    if (&rules == &chain.strays) chain.stray_places.push_back(i + 1);
  }
  return chain;
}

/// The lines that change one chain.
class Lines {
 public:
  explicit Lines(const SharedChain& chain) : chain_(&chain) {}

  void erase(const std::string& rule) { add("-D " + chain_->name, rule); }
  void insert(std::size_t place, const std::string& rule) {
    add("-I " + chain_->name + " " + std::to_string(place), rule);
  }
  void append(const std::string& rule) { add("-A " + chain_->name, rule); }
  void policy(const std::string& policy) { lines_.push_back("-P " + chain_->name + " " + policy); }

  [[nodiscard]] std::vector<wire::Request> finish() && {
    if (lines_.empty()) return {};
    return {wire::FirewallRestore{chain_->family, wire::restore_text(chain_->table, lines_)}};
  }

 private:
  void add(std::string command, const std::string& rule) {
    lines_.push_back(std::move(command) + " " + wire::restore_rule(rule));
  }

  const SharedChain* chain_;
  Rules lines_;
};

/// Deleting goes by text, so that a rule somebody puts in meanwhile cannot be hit: what is there
/// twice cannot be told apart.
bool is_tidy(const SharedChain& have) {
  std::set<std::string_view> seen;
  for (const Rules* rules : {&have.insert, &have.append}) {
    for (const std::string& rule : *rules) {
      if (!seen.insert(rule).second) return false;
    }
  }
  return have.strays.empty();
}

std::size_t common_prefix(const Rules& a, const Rules& b) {
  const auto ends = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(ends.first - a.begin());
}

std::size_t common_suffix(const Rules& a, const Rules& b, std::size_t prefix) {
  std::size_t count = 0;
  while (count < a.size() - prefix && count < b.size() - prefix &&
         a[a.size() - 1 - count] == b[b.size() - 1 - count]) {
    ++count;
  }
  return count;
}

/// Takes all of ours out and puts them in anew, each at its place.
void rewrite(const SharedChain& have, const SharedChain& want, Lines& lines) {
  for (const Rules* rules : {&have.insert, &have.strays, &have.append}) {
    for (const std::string& rule : *rules) lines.erase(rule);
  }
  for (std::size_t i = 0; i < want.insert.size(); ++i) lines.insert(i + 1, want.insert[i]);
  for (std::size_t i = 0; i < want.strays.size(); ++i) {
    lines.insert(want.stray_places.at(i), want.strays[i]);
  }
  for (const std::string& rule : want.append) lines.append(rule);
}

/// Touches only what differs: the rules that stay keep their counters.
void amend(const SharedChain& have, const SharedChain& want, Lines& lines) {
  const std::size_t prefix = common_prefix(have.insert, want.insert);
  const std::size_t suffix = common_suffix(have.insert, want.insert, prefix);
  const std::size_t kept = common_prefix(have.append, want.append);
  for (std::size_t i = prefix; i < have.insert.size() - suffix; ++i) lines.erase(have.insert[i]);
  for (std::size_t i = kept; i < have.append.size(); ++i) lines.erase(have.append[i]);
  for (std::size_t i = prefix; i < want.insert.size() - suffix; ++i) {
    lines.insert(i + 1, want.insert[i]);
  }
  for (std::size_t i = kept; i < want.append.size(); ++i) lines.append(want.append[i]);
}

std::vector<wire::Request> change(const SharedChain& have, const SharedChain& want) {
  Lines lines(want);
  if (is_tidy(have) && want.strays.empty()) {
    amend(have, want, lines);
  } else {
    rewrite(have, want, lines);
  }
  if (want.policy && want.policy != have.policy) lines.policy(*want.policy);
  return std::move(lines).finish();
}

SharedChain without_ours(const SharedChain& chain) {
  return {chain.family, chain.table, chain.name, {}, {}, {}, {}, {}, true};
}

void read_policy(const wire::Entry& entry, bool builtin, SharedChain& chain) {
  chain.policy = entry.string("policy");
  if (!chain.policy) return;
  const wire::Entry policy = *entry.find("policy");
  if (*chain.policy != "ACCEPT" && *chain.policy != "DROP") {
    policy.error(Code::invalid_iptables_rule, "a policy is ACCEPT or DROP");
  } else if (!builtin) {
    policy.error(Code::invalid_iptables_rule, "only a built-in chain has a policy");
  } else if (chain.table == "nat" && chain.policy == "DROP") {
    policy.error(Code::invalid_iptables_rule,
                 "the table nat filters nothing: iptables refuses DROP");
  }
}

boost::json::array rules_to_spec(const Rules& rules) {
  boost::json::array result;
  for (const std::string& rule : rules) result.emplace_back(without_mark_comment(rule));
  return result;
}

}  // namespace

std::vector<wire::Request> SharedChain::queries(const Scope& scope) {
  return Chain::queries(scope);
}

void SharedChain::decode(const wire::Request& request, const wire::Reply& reply, const LinkNames&,
                         std::vector<SharedChain>& out) {
  const Family family = std::get<wire::FirewallDump>(request).family;
  for (const wire::SavedTable& table : wire::read_save(reply.text)) {
    for (const wire::SavedChain& saved : table.chains) {
      const bool ours = !saved.policy && !saved.rules.empty() && saved.rules.back() == mark_rule;
      if (!ours) out.push_back(sorted_out(family, table.name, saved));
    }
  }
}

std::optional<SharedChain> SharedChain::from_spec(const wire::Entry& entry, Family family,
                                                  std::string_view table) {
  const std::string name(entry.key());
  const bool builtin = is_builtin_chain(table, name);
  std::string problem = builtin ? "" : wire::chain_name_refusal(name);
  if (!builtin && is_builtin_name(name)) {
    problem = "the table " + std::string(table) + " has no chain " + name;
  }
  if (!problem.empty()) entry.error(Code::invalid_chain_name, problem);
  if (!entry.is_object()) return std::nullopt;
  entry.only({"policy", "insert", "append"});
  SharedChain chain{family, std::string(table), name, {}, {}, {}, {}, {}, true};
  read_policy(entry, builtin, chain);
  chain.insert = rules_from_spec(entry, "insert", true);
  chain.append = rules_from_spec(entry, "append", true);
  return problem.empty() ? std::optional(std::move(chain)) : std::nullopt;
}

SharedChain::Key key(const SharedChain& chain) { return {chain.family, chain.table, chain.name}; }

std::string format(const SharedChain::Key& key) {
  return "shared " + std::string(format(key.family)) + " " + key.table + " " + key.name;
}

std::vector<Need> needs(const SharedChain& chain) {
  if (is_builtin_chain(chain.table, chain.name)) return {};
  return {NeedsChain{chain.family, chain.table, chain.name}};
}

bool is_marked(const SharedChain& chain, const Mark&) {
  return !chain.insert.empty() || !chain.append.empty() || !chain.strays.empty();
}

SharedChain with_mark(SharedChain chain, const Mark&) {
  for (Rules* rules : {&chain.insert, &chain.append}) {
    for (std::string& rule : *rules) rule = with_mark_comment(rule);
  }
  return chain;
}

SharedChain complete(SharedChain want, const SharedChain& have) {
  if (!want.policy) want.policy = have.policy;
  want.strays.clear();
  want.stray_places.clear();
  want.only_ours = have.only_ours;
  if (have.only_ours) {  // The top and the end are one place, which observing calls the top.
    want.insert.insert(want.insert.end(), want.append.begin(), want.append.end());
    want.append.clear();
  }
  return want;
}

Transition transition(const SharedChain& have, const SharedChain& want) {
  if (have == want) return {};
  const bool amended =
      is_tidy(have) &&
      common_prefix(have.insert, want.insert) +
              common_suffix(have.insert, want.insert, common_prefix(have.insert, want.insert)) ==
          have.insert.size() &&
      common_prefix(have.append, want.append) == have.append.size();
  return {Change::update, amended ? Disruption::nothing : Disruption::counters};
}

std::vector<wire::Request> create(const SharedChain& chain, const LinkNames&) {
  return change(without_ours(chain), chain);
}

std::vector<wire::Request> update(const SharedChain& have, const SharedChain& want,
                                  const LinkNames&) {
  return change(have, want);
}

std::vector<wire::Request> remove(const SharedChain& chain, const LinkNames&) {
  return change(chain, without_ours(chain));
}

boost::json::value to_spec(const SharedChain& chain) {
  boost::json::object object;
  if (chain.policy) object["policy"] = *chain.policy;
  if (!chain.insert.empty()) object["insert"] = rules_to_spec(chain.insert);
  if (!chain.append.empty()) object["append"] = rules_to_spec(chain.append);
  return object;
}

}  // namespace plumbline
