#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <span>

#include "have_chain.hpp"
#include "mark.hpp"
#include "plumbline/firewall/model/chain.hpp"
#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline {

namespace {

/// The lines that change one chain.
class Lines {
 public:
  explicit Lines(const SharedChain& chain) : chain_(&chain) {}

  void erase(const FirewallRule& rule) { add("-D " + chain_->name, rule); }
  void insert(std::size_t place, const FirewallRule& rule) {
    add("-I " + chain_->name + " " + std::to_string(place), rule);
  }
  void append(const FirewallRule& rule) { add("-A " + chain_->name, rule); }
  void policy(const std::string& policy) { lines_.push_back("-P " + chain_->name + " " + policy); }

  [[nodiscard]] std::vector<wire::Request> finish() && {
    if (lines_.empty()) return {};
    return {wire::FirewallRestore{chain_->family, firewall::restore_text(chain_->table, lines_)}};
  }

 private:
  void add(std::string command, const FirewallRule& rule) {
    lines_.push_back(std::move(command) + " " + restore_rule(rule));
  }

  const SharedChain* chain_;
  std::vector<std::string> lines_;
};

/// Deleting goes by text, so that a rule somebody puts in meanwhile cannot be hit: what is there
/// twice cannot be told apart.
bool is_tidy(const SharedChain& have) {
  FirewallRuleSet seen;
  for (const RuleList* rules : {&have.insert, &have.append}) {
    for (const FirewallRule& rule : *rules) {
      if (!seen.insert(rule).second) return false;
    }
  }
  return have.strays.empty();
}

std::size_t common_prefix(const RuleList& a, const RuleList& b) {
  const auto ends = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(ends.first - a.begin());
}

std::size_t common_suffix(const RuleList& a, const RuleList& b, std::size_t prefix) {
  std::size_t count = 0;
  while (count < a.size() - prefix && count < b.size() - prefix &&
         a[a.size() - 1 - count] == b[b.size() - 1 - count]) {
    ++count;
  }
  return count;
}

/// Takes all of ours out and puts them in anew, each at its place.
void rewrite(const SharedChain& have, const SharedChain& want, Lines& lines) {
  for (const RuleList* rules : {&have.insert, &have.strays, &have.append}) {
    for (const FirewallRule& rule : *rules) lines.erase(rule);
  }
  for (std::size_t i = 0; i < want.insert.size(); ++i) lines.insert(i + 1, want.insert[i]);
  for (std::size_t i = 0; i < want.strays.size(); ++i) {
    lines.insert(want.stray_places.at(i), want.strays[i]);
  }
  for (const FirewallRule& rule : want.append) lines.append(rule);
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

/// Legacy: whether amend() takes no rule away.
bool is_amended(const SharedChain& have, const SharedChain& want) {
  const std::size_t prefix = common_prefix(have.insert, want.insert);
  return is_tidy(have) &&
         prefix + common_suffix(have.insert, want.insert, prefix) == have.insert.size() &&
         common_prefix(have.append, want.append) == have.append.size();
}

bool has_code(const SharedChain& chain) {
  const auto coded = [](const FirewallRule& rule) { return rule.code().has_value(); };
  return std::ranges::all_of(chain.insert, coded) && std::ranges::all_of(chain.strays, coded) &&
         std::ranges::all_of(chain.append, coded);
}

/// Whether every rule of ours that stays does so without crossing foreign ones, which are not
/// moved: between the top, the strays and the end stands a rule that nobody has.
bool crosses_nothing(const SharedChain& have, const SharedChain& want) {
  const RuleList foreign = have.only_ours ? RuleList() : RuleList{std::string("\001")};
  const auto laid_out = [&](const SharedChain& chain) {
    return chain.insert.followed_by(foreign)
        .followed_by(chain.strays)
        .followed_by(foreign)
        .followed_by(chain.append);
  };
  return moved_rules(laid_out(have).rules(), laid_out(want).rules()).empty();
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
  } else if (chain.family != Family::bridge && chain.table == "nat" && chain.policy == "DROP") {
    policy.error(Code::invalid_iptables_rule,
                 "the table nat filters nothing: iptables refuses DROP");
  }
}

boost::json::array rules_to_spec(const RuleList& rules, Family family) {
  boost::json::array result;
  for (const FirewallRule& rule : rules) result.emplace_back(without_our_mark(rule, family));
  return result;
}

}  // namespace

SharedChain ours_in(const HaveChain& have) {
  std::span<const FirewallRule> rules = have.rules;
  // The policy of a chain of ebtables: a rule to nf_tables alone, and kept behind all others.
  if (!rules.empty() && rules.back().code() && is_chain_policy(*rules.back().code())) {
    rules = rules.first(rules.size() - 1);
  }
  SharedChain chain{have.family, have.table, have.name, have.policy, {}, {}, {}, {}, true};
  std::vector<bool> ours;
  ours.reserve(rules.size());
  for (const FirewallRule& rule : rules) ours.push_back(rule.carries_mark());
  const auto first_foreign = std::find(ours.begin(), ours.end(), false);
  chain.only_ours = first_foreign == ours.end();
  const auto top = static_cast<std::size_t>(first_foreign - ours.begin());
  std::size_t end = ours.size();
  while (end > top && ours[end - 1]) --end;
  RuleList::Rules insert;
  RuleList::Rules strays;
  RuleList::Rules append;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (!ours[i]) continue;
    RuleList::Rules& place = i < top ? insert : i < end ? strays : append;
    place.push_back(rules[i]);
    if (&place == &strays) chain.stray_places.push_back(i + 1);
  }
  chain.insert = std::move(insert);
  chain.strays = std::move(strays);
  chain.append = std::move(append);
  return chain;
}

std::optional<SharedChain> SharedChain::from_spec(const wire::Entry& entry, Family family,
                                                  std::string_view table) {
  const std::string name(entry.key());
  const bool builtin = is_builtin_chain(family, table, name);
  std::string problem = builtin ? "" : firewall::chain_name_refusal(name, family);
  if (!builtin && is_builtin_name(name)) {
    problem = "the table " + std::string(table) + " has no chain " + name;
  }
  if (!problem.empty()) entry.error(Code::invalid_chain_name, problem);
  if (!entry.is_object()) return std::nullopt;
  entry.only({"policy", "insert", "append"});
  SharedChain chain{family, std::string(table), name, {}, {}, {}, {}, {}, true};
  read_policy(entry, builtin, chain);
  chain.insert = RuleList::from_spec(entry, "insert", family, name);
  chain.append = RuleList::from_spec(entry, "append", family, name);
  return problem.empty() ? std::optional(std::move(chain)) : std::nullopt;
}

SharedChain::Key key(const SharedChain& chain) { return {chain.family, chain.table, chain.name}; }

std::string format(const SharedChain::Key& key) {
  return "shared " + std::string(format(key.family)) + " " + key.table + " " + key.name;
}

std::vector<Need> needs(const SharedChain& chain) {
  std::vector<Need> needs = needed_sets(chain.insert.followed_by(chain.append));
  if (!is_builtin_chain(chain.family, chain.table, chain.name)) {
    needs.emplace_back(NeedsChain{chain.family, chain.table, chain.name});
  }
  return needs;
}

bool is_marked(const SharedChain& chain, const Mark&) {
  return !chain.insert.empty() || !chain.append.empty() || !chain.strays.empty();
}

SharedChain with_mark(SharedChain chain, const Mark&) {
  for (RuleList* rules : {&chain.insert, &chain.append}) {
    RuleList::Rules marked;
    for (const FirewallRule& rule : *rules)
      marked.push_back(with_our_mark(rule, chain.family, chain.name));
    *rules = std::move(marked);
  }
  return chain;
}

SharedChain complete(SharedChain want, const SharedChain& have) {
  // A built-in chain that no hook leads to has none, and takes none.
  if (!want.policy || !have.policy) want.policy = have.policy;
  want.strays = {};
  want.stray_places.clear();
  want.only_ours = have.only_ours;
  if (have.only_ours) {  // The top and the end are one place, which observing calls the top.
    want.insert = want.insert.followed_by(want.append);
    want.append = {};
  }
  return want;
}

Transition transition(const SharedChain& have, const SharedChain& want) {
  if (have == want) return {};
  const bool keeps = has_code(have) ? crosses_nothing(have, want) : is_amended(have, want);
  return {Change::update, keeps ? Disruption::nothing : Disruption::counters};
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
  if (!chain.insert.empty()) object["insert"] = rules_to_spec(chain.insert, chain.family);
  if (!chain.append.empty()) object["append"] = rules_to_spec(chain.append, chain.family);
  return object;
}

SharedChain bare(const SharedChain& chain) {
  SharedChain bare{chain.family, chain.table, chain.name, {}, {}, {}, {}, {}, true};
  if (chain.policy) bare.policy = "ACCEPT";
  return bare;
}

std::vector<wire::Request> unmake(const SharedChain& chain, const LinkNames& links) {
  return update(chain, bare(chain), links);
}

bool may_be_of_ours(const SharedChain& chain) { return chain.policy && *chain.policy != "ACCEPT"; }

}  // namespace plumbline
