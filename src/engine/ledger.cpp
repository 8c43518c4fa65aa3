#include "plumbline/engine/ledger.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "ledger_link.hpp"
#include "plumbline/base/number.hpp"
#include "plumbline/spec/assignments.hpp"

namespace plumbline::engine {

namespace json = boost::json;

namespace {

// ---- the values found before, as a spec would write them ----------------------------------------

json::object earlier_to_json(const State& earlier) {
  json::object links;
  for (const Link& link : earlier.of<Link>()) links[format(link.name)] = link_to_json(link);
  json::object sysctls;
  for (const Sysctl& sysctl : earlier.of<Sysctl>()) sysctls[sysctl.path] = sysctl.value;
  json::array policies;
  for (const SharedChain& chain : earlier.of<SharedChain>()) {
    policies.push_back({{"family", format(chain.family)},
                        {"table", chain.table},
                        {"chain", chain.name},
                        {"policy", chain.policy.value_or("ACCEPT")}});
  }
  return {{"links", links}, {"sysctls", sysctls}, {"policies", policies}};
}

State earlier_from(const wire::Entry& entry) {
  State earlier;
  if (const auto links = entry.find("links")) {
    links->for_each_member([&](const wire::Entry& link) {
      const auto name = IfName::parse(link.key());
      if (name) earlier.of<Link>().push_back(link_from_json(link, *name));
    });
  }
  if (const auto sysctls = entry.find("sysctls")) {
    sysctls->for_each_member([&](const wire::Entry& sysctl) {
      if (auto value = sysctl.string()) {
        earlier.of<Sysctl>().push_back({std::string(sysctl.key()), std::move(*value)});
      }
    });
  }
  if (const auto policies = entry.find("policies")) {
    policies->for_each_element([&](const wire::Entry& policy) {
      SharedChain chain;
      const auto family = parse_family(policy.string("family").value_or(""));
      if (!family) return;
      chain.family = *family;
      chain.table = policy.string("table").value_or("");
      chain.name = policy.string("chain").value_or("");
      chain.policy = policy.string("policy");
      earlier.of<SharedChain>().push_back(std::move(chain));
    });
  }
  earlier.sort();
  return earlier;
}

// ---- the whole ----------------------------------------------------------------------------------

json::object to_json(const Ledger& ledger) {
  json::object applied;
  for (const auto& [key, value] : ledger.memory.applied) applied[key] = std::to_string(value);
  json::object along;
  for (const auto& [path, sysctls] : ledger.along) {
    json::object values;
    for (const Sysctl& sysctl : sysctls) values[sysctl.path] = sysctl.value;
    along[path] = values;
  }
  json::array tables;
  for (const auto& [family, table] : ledger.tables_made) {
    tables.push_back({{"family", format(family)}, {"table", table}});
  }
  json::object assignments;
  for (const spec::Assignment& assignment : ledger.assignments) {
    assignments[assignment.tap.view()] = spec::format(assignment);
  }
  return {{"earlier", earlier_to_json(ledger.memory.earlier)},
          {"applied", applied},
          {"along", along},
          {"tables_made", tables},
          {"assignments", assignments},
          {"unended", json::array(ledger.unended.begin(), ledger.unended.end())}};
}

Ledger ledger_from(const wire::Entry& root) {
  Ledger ledger;
  if (const auto earlier = root.find("earlier")) ledger.memory.earlier = earlier_from(*earlier);
  if (const auto applied = root.find("applied")) {
    applied->for_each_member([&](const wire::Entry& entry) {
      if (const auto value = parse_number<std::uint64_t>(entry.string().value_or(""))) {
        ledger.memory.applied.emplace(entry.key(), *value);
      }
    });
  }
  if (const auto along = root.find("along")) {
    along->for_each_member([&](const wire::Entry& entry) {
      std::vector<Sysctl>& values = ledger.along[std::string(entry.key())];
      entry.for_each_member([&](const wire::Entry& sysctl) {
        if (auto value = sysctl.string()) values.push_back({std::string(sysctl.key()), *value});
      });
    });
  }
  if (const auto tables = root.find("tables_made")) {
    tables->for_each_element([&](const wire::Entry& entry) {
      const auto family = parse_family(entry.string("family").value_or(""));
      const auto table = entry.string("table");
      if (family && table) ledger.tables_made.emplace(*family, *table);
    });
  }
  if (const auto assignments = root.find("assignments")) {
    assignments->for_each_member([&](const wire::Entry& entry) {
      const auto tap = IfName::parse(entry.key());
      const auto text = entry.string();
      if (!tap || !text) return;
      auto assignment = spec::parse_assignment(*text, *tap);
      if (assignment) ledger.assignments.push_back(*std::move(assignment));
    });
    std::ranges::sort(ledger.assignments);
  }
  if (const auto unended = root.find("unended")) {
    unended->for_each_element([&](const wire::Entry& entry) {
      if (auto name = entry.string()) ledger.unended.insert(*std::move(name));
    });
  }
  return ledger;
}

// ---- what goes in and out of Memory::earlier ----------------------------------------------------

/// Calls `visit` with each setting of a link that somebody else's link may have from us.
template <class Visit>
void for_each_setting(Visit&& visit) {
  visit(&Link::up);
  visit(&Link::mtu);
  visit(&Link::mac);
  visit(&Link::master);
  visit(&Link::tx_queue_length);
  visit(&Link::alias);
}

template <class Visit>
void for_each_port_setting(Visit&& visit) {
  visit(&PortSettings::isolated);
  visit(&PortSettings::learning);
  visit(&PortSettings::hairpin);
  visit(&PortSettings::cost);
  visit(&PortSettings::priority);
}

/// The value of that key in `state`, which is sorted and stays so; `fresh` where there was none.
template <class K>
K& entry_of(State& state, const typename K::Key& wanted, const K& fresh) {
  auto& values = state.of<K>();
  const auto it = std::ranges::lower_bound(values, wanted, std::ranges::less{},
                                           [](const K& value) { return key(value); });
  return it != values.end() && key(*it) == wanted ? *it : *values.insert(it, fresh);
}

void remember_link(State& earlier, const Link& before, const Link& after) {
  if (before.marked || after.marked) return;
  Link fresh;
  fresh.name = before.name;
  Link& entry = entry_of(earlier, key(before), fresh);
  if (!before.master && after.master && !entry.master) entry.master = in_no_bridge;
  for_each_setting([&](auto setting) {
    if (before.*setting != after.*setting && !(entry.*setting)) entry.*setting = before.*setting;
  });
  if (!before.port || !after.port) return;
  PortSettings port = entry.port.value_or(PortSettings{});
  for_each_port_setting([&](auto setting) {
    if ((*before.port).*setting != (*after.port).*setting && !(port.*setting)) {
      port.*setting = (*before.port).*setting;
    }
  });
  if (port != PortSettings{}) entry.port = port;
}

void remember_step(State& earlier, const Step& step) {
  // What drifted is known already, or was found as it is wanted: the rival's value is not
  // "earlier".
  if (step.why == Why::unwanted || step.why == Why::drifted || !step.after) return;
  if (const auto* sysctl = std::get_if<Sysctl>(&*step.after)) {
    if (step.before) entry_of(earlier, key(*sysctl), std::get<Sysctl>(*step.before));
  } else if (const auto* link = std::get_if<Link>(&*step.after)) {
    if (step.before) remember_link(earlier, std::get<Link>(*step.before), *link);
  } else if (const auto* chain = std::get_if<SharedChain>(&*step.after)) {
    SharedChain fresh;
    fresh.family = chain->family;
    fresh.table = chain->table;
    fresh.name = chain->name;
    // A table that is not there yet comes with the policy ACCEPT.
    fresh.policy = step.before ? std::get<SharedChain>(*step.before).policy : "ACCEPT";
    if (chain->policy && chain->policy != fresh.policy) entry_of(earlier, key(*chain), fresh);
  }
}

/// Leaves in `link` only what `wanted` manages; whether anything is left.
bool keep_managed(Link& link, const Link* wanted) {
  bool any = false;
  for_each_setting([&](auto setting) {
    if (wanted == nullptr || !(wanted->*setting)) (link.*setting).reset();
    any = any || link.*setting;
  });
  if (link.port) {
    for_each_port_setting([&](auto setting) {
      if (wanted == nullptr || !wanted->port || !((*wanted->port).*setting)) {
        ((*link.port).*setting).reset();
      }
      any = any || (*link.port).*setting;
    });
    if (*link.port == PortSettings{}) link.port.reset();
  }
  return any;
}

}  // namespace

void remember(Memory& memory, const Plan& plan) {
  for (const Step& step : plan.steps) remember_step(memory.earlier, step);
}

void remember(Memory& memory, const Plan& plan, const std::vector<Sysctl>& found) {
  std::map<std::string_view, const Sysctl*> values;
  for (const Sysctl& sysctl : found) values.emplace(sysctl.path, &sysctl);
  for (const Step& step : plan.steps) {
    const auto* wanted = step.after ? std::get_if<Sysctl>(&*step.after) : nullptr;
    if (wanted == nullptr || step.why == Why::drifted) continue;
    const auto value = values.find(wanted->path);
    if (value == values.end() || *value->second == *wanted) continue;
    entry_of(memory.earlier, key(*wanted), *value->second);
  }
}

void forget(Memory& memory, const State& want) {
  std::erase_if(memory.earlier.of<Sysctl>(),
                [&](const Sysctl& sysctl) { return !want.find<Sysctl>(key(sysctl)); });
  std::erase_if(memory.earlier.of<Link>(),
                [&](Link& link) { return !keep_managed(link, want.find<Link>(key(link))); });
  std::erase_if(memory.earlier.of<SharedChain>(), [&](const SharedChain& chain) {
    const SharedChain* wanted = want.find<SharedChain>(key(chain));
    return wanted == nullptr || !wanted->policy;
  });
}

std::vector<Key> set_first(const Memory& memory, const Plan& plan) {
  std::vector<Key> keys;
  for (const Step& step : plan.steps) {
    if (!step.after) continue;
    State known;
    std::visit(
        [&]<class K>(const K& value) {
          if (const K* there = memory.earlier.find<K>(key(value))) known.of<K>() = {*there};
        },
        *step.after);
    State grown = known;
    remember_step(grown, step);
    if (grown != known) keys.push_back(step.key);
  }
  return keys;
}

std::string format(const Ledger& ledger) { return json::serialize(to_json(ledger)); }

std::optional<Ledger> parse_ledger(const std::string& text, const std::string& path,
                                   std::string& fault) {
  Diagnostics diagnostics;
  const auto root =
      wire::read_document(text, std::make_shared<const std::string>(path), diagnostics);
  if (!root || root->get<wire::Object>() == nullptr) {
    const bool told = !diagnostics.errors.empty();
    fault = told ? format(diagnostics.errors.front()) : path + ": not a ledger";
    return std::nullopt;
  }
  const TableNames tables;
  wire::Reading reading{diagnostics, tables};
  return ledger_from(wire::Entry(*root, reading));
}

}  // namespace plumbline::engine
