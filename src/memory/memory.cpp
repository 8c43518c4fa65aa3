#include "plumbline/memory/memory.hpp"

#include <algorithm>
#include <set>

#include "settings.hpp"

namespace plumbline::memory {

namespace {

/// The value of that key in `state`, which is sorted and stays so; `fresh` where there was none.
template <class K>
K& entry_of(State& state, const typename K::Key& wanted, const K& fresh) {
  auto& values = state.of<K>();
  const auto it = std::ranges::lower_bound(values, wanted, std::ranges::less{},
                                           [](const K& value) { return key(value); });
  return it != values.end() && key(*it) == wanted ? *it : *values.insert(it, fresh);
}

// ---- what is remembered -------------------------------------------------------------------------

/// Of every new port: new_nbp() in net/bridge/br_if.c. The cost is the driver's.
constexpr PortSettings fresh_port{false, true, false, {}, 32, 0};

/// Leaving a bridge loses all settings of the port, joining one begins with those of a new port.
void remember_move(Memory& memory, Link& entry, const Link& before, const Link& after,
                   const LinkNames& links) {
  if (!entry.master) {
    entry.master = before.master.value_or(in_no_bridge);
    if (before.port) {
      PortSettings port = entry.port.value_or(PortSettings{});
      fall_back(port, *before.port);
      memory.ports[before.name] = port;
    }
  }
  entry.port.reset();
  memory.port_of.erase(before.name);
  if (!after.port || !after.master) return;
  PortSettings port;
  for_each_port_setting([&](auto setting) {
    if ((*after.port).*setting) port.*setting = fresh_port.*setting;
  });
  if (port == PortSettings{}) return;
  entry.port = port;
  if (const auto index = links.index(*after.master)) memory.port_of[before.name] = index;
}

void remember_port(Memory& memory, Link& entry, const Link& before, const Link& after,
                   const PortSettings& want, const LinkNames& links) {
  PortSettings port = entry.port.value_or(PortSettings{});
  for_each_port_setting([&](auto setting) {
    const bool changes = (*before.port).*setting != (*after.port).*setting;
    if (changes && want.*setting && !(port.*setting)) port.*setting = (*before.port).*setting;
  });
  if (port == PortSettings{}) return;
  entry.port = port;
  if (const auto index = before.master ? links.index(*before.master) : 0) {
    memory.port_of[before.name] = index;
  }
}

void remember_link(Memory& memory, const Link& before, const Link& after, const Link& want,
                   const LinkNames& links) {
  if (before.marked || after.marked) return;
  Link fresh;
  fresh.name = before.name;
  Link& entry = entry_of(memory.earlier, key(before), fresh);
  const bool moves = want.master && before.master != after.master;
  if (moves) remember_move(memory, entry, before, after, links);
  for_each_setting([&](auto setting) {
    const bool changes = want.*setting && before.*setting != after.*setting;
    if (changes && !(entry.*setting)) entry.*setting = before.*setting;
  });
  if (!moves && before.port && after.port && want.port) {
    remember_port(memory, entry, before, after, *want.port, links);
  }
}

void remember_sysctl(Memory& memory, const Sysctl& before) {
  entry_of(memory.earlier, key(before), before);
  const auto followed = memory.followed.find(before.path);
  if (followed != memory.followed.end()) followed->second.set = true;
}

void remember_policy(Memory& memory, const Step& step, const SharedChain& after) {
  SharedChain fresh;
  fresh.family = after.family;
  fresh.table = after.table;
  fresh.name = after.name;
  // A table that is not there yet comes with the policy ACCEPT.
  fresh.policy = step.before ? std::get<SharedChain>(*step.before).policy : "ACCEPT";
  if (after.policy && after.policy != fresh.policy) entry_of(memory.earlier, key(after), fresh);
}

/// What drifted is known already, or was found as it is wanted: the rival's value is not "earlier".
/// Of an object that is another than the one that was set, nothing is known.
bool is_known_drift(const Memory& memory, const Step& step) {
  if (step.why != Why::drifted) return false;
  if (const auto* chain = std::get_if<SharedChain::Key>(&step.key)) {
    return memory.chains.contains(*chain) || memory.earlier.find<SharedChain>(*chain) != nullptr;
  }
  std::optional<IfName> link;
  if (const auto* name = std::get_if<Link::Key>(&step.key)) link = name->name;
  if (const auto* sysctl = std::get_if<Sysctl::Key>(&step.key)) link = link_of(sysctl->path);
  return !link || memory.indexes.contains(*link);
}

void remember_step(Memory& memory, const Step& step, const State& want, const LinkNames& links) {
  if (step.why == Why::unwanted || !step.after || is_known_drift(memory, step)) return;
  if (const auto* sysctl = std::get_if<Sysctl>(&*step.after)) {
    if (!step.before || want.find<Sysctl>(key(*sysctl)) == nullptr) return;
    remember_sysctl(memory, std::get<Sysctl>(*step.before));
  } else if (const auto* link = std::get_if<Link>(&*step.after)) {
    const Link* wanted = want.find<Link>(key(*link));
    if (!step.before || wanted == nullptr) return;
    remember_link(memory, std::get<Link>(*step.before), *link, *wanted, links);
  } else if (const auto* chain = std::get_if<SharedChain>(&*step.after)) {
    const SharedChain* wanted = want.find<SharedChain>(key(*chain));
    if (wanted != nullptr && wanted->policy) remember_policy(memory, step, *chain);
  }
}

/// A step that writes a sysctl of the spec's.
const Sysctl* wanted_sysctl(const Step& step, const State& want) {
  const auto* sysctl = step.after ? std::get_if<Sysctl>(&*step.after) : nullptr;
  const bool wanted = sysctl != nullptr && want.find<Sysctl>(key(*sysctl)) != nullptr;
  return wanted && step.why != Why::unwanted ? sysctl : nullptr;
}

/// One that the kernel will change along with `driver`, and is `now`.
void remember_along(Memory& memory, const Step& step, const Sysctl& driver, const Sysctl& now) {
  const auto value = value_along(driver, now.path);
  if (!value) return;
  const bool known = memory.earlier.find<Sysctl>(key(now)) != nullptr;
  const auto [followed, fresh] = memory.followed.try_emplace(now.path, Followed{*value, known});
  entry_of(memory.earlier, key(now), now);
  if (fresh) return;
  if (!followed->second.set) {
    followed->second.left = *value;
    return;
  }
  // It was set by itself, and would follow if it did so before.
  const auto* before = step.before ? std::get_if<Sysctl>(&*step.before) : nullptr;
  const bool did = before == nullptr || value_along(*before, now.path) == followed->second.left;
  if (did) followed->second.left = *value;
}

}  // namespace

void remember(Memory& memory, const Plan& plan, const State& want, const SettingsAlong& along,
              const LinkNames& links) {
  State seen;
  for (const auto& [ignored, values] : along) {
    for (const Sysctl& value : values) seen.of<Sysctl>().push_back(value);
  }
  seen.sort();
  heed(memory, want, seen);
  for (const Step& step : plan.steps) {
    const Sysctl* driver = wanted_sysctl(step, want);
    const auto values = driver == nullptr ? along.end() : along.find(driver->path);
    if (values == along.end()) continue;
    for (const Sysctl& now : values->second) remember_along(memory, step, *driver, now);
  }
  for (const Step& step : plan.steps) remember_step(memory, step, want, links);
}

void remember(Memory& memory, const Plan& plan, const State& want, const State& found) {
  std::map<std::string_view, const Sysctl*> values;
  for (const Sysctl& sysctl : found.of<Sysctl>()) values.emplace(sysctl.path, &sysctl);
  for (const Step& step : plan.steps) {
    const Sysctl* wanted = wanted_sysctl(step, want);
    if (wanted == nullptr || is_known_drift(memory, step)) continue;
    const auto value = values.find(wanted->path);
    if (value == values.end() || *value->second == *wanted) continue;
    remember_sysctl(memory, *value->second);
  }
}

void note_followed(Memory& memory, const Plan& plan, const SettingsAlong& now) {
  std::set<std::string> written;
  for (const Step& step : plan.steps) {
    if (const auto* key = std::get_if<Sysctl::Key>(&step.key)) written.insert(key->path);
  }
  for (const auto& [ignored, values] : now) {
    for (const Sysctl& value : values) {
      const auto followed = memory.followed.find(value.path);
      if (followed == memory.followed.end()) continue;
      if (followed->second.set || written.contains(value.path)) continue;
      followed->second.left = value.value;
    }
  }
}

}  // namespace plumbline::memory
