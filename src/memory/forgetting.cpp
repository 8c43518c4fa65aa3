// When what is remembered is forgotten: it is as before, or its object is gone.

#include <algorithm>
#include <set>

#include "plumbline/memory/goals.hpp"
#include "settings.hpp"

namespace plumbline::memory {

namespace {

bool is_back(const Sysctl& goal, const Sysctl& now) { return complete(goal, now) == now; }

/// Whether nothing is left to remember of it.
bool forget_sysctl(Memory& memory, const Goals& goals, const Sysctl& sysctl, const State& want,
                   const State& now) {
  const auto key = plumbline::key(sysctl);
  if (want.find<Sysctl>(key) != nullptr) {
    memory.refused.erase(format(Key(key)));
    return false;
  }
  const auto goal = goals.sysctl(sysctl.path);
  if (!goal) return false;
  const Sysctl* is = now.find<Sysctl>(key);
  if (is != nullptr && !is_back(*goal, *is)) return false;
  const auto followed = memory.followed.find(sysctl.path);
  if (is != nullptr && followed != memory.followed.end() && followed->second.set &&
      goals.is_held(sysctl.path)) {
    followed->second.set = false;
    return false;
  }
  return true;
}

void forget_sysctls(Memory& memory, const State& want, const State& now) {
  const Goals goals(memory, want);
  std::vector<Sysctl> kept;
  std::vector<std::string> gone;
  for (const Sysctl& sysctl : memory.earlier.of<Sysctl>()) {
    if (forget_sysctl(memory, goals, sysctl, want, now)) {
      gone.push_back(sysctl.path);
    } else {
      kept.push_back(sysctl);
    }
  }
  memory.earlier.of<Sysctl>() = std::move(kept);
  for (const std::string& path : gone) {
    memory.followed.erase(path);
    memory.refused.erase(format(Key(Sysctl::Key{path})));
  }
}

void forget_port(Memory& memory, Link& entry, const Link* want, const Link& now) {
  if (!entry.port) return;
  for_each_port_setting([&](auto setting) {
    const bool held = want != nullptr && want->port && (*want->port).*setting;
    const bool back = !now.port || (*now.port).*setting == (*entry.port).*setting;
    if (!held && back) ((*entry.port).*setting).reset();
  });
  if (*entry.port != PortSettings{}) return;
  entry.port.reset();
  memory.port_of.erase(entry.name);
}

/// Back in its bridge, it may still want settings that it had there.
void forget_master(Memory& memory, Link& entry, const Link* want, const Link& now) {
  const bool held = want != nullptr && want->master;
  if (!entry.master || held || now.master.value_or(in_no_bridge) != *entry.master) return;
  entry.master.reset();
  const auto port = memory.ports.find(entry.name);
  if (port == memory.ports.end()) return;
  entry.port = port->second;
  memory.port_of.erase(entry.name);
  memory.ports.erase(port);
}

bool forget_link(Memory& memory, Link& entry, const State& want, const State& now) {
  const Link* is = now.find<Link>(key(entry));
  const bool ours = is == nullptr || is->marked;
  if (!ours) {
    const Link* wanted = want.find<Link>(key(entry));
    forget_master(memory, entry, wanted, *is);
    forget_port(memory, entry, wanted, *is);
    bool any = entry.port || entry.master;
    for_each_setting([&](auto setting) {
      const bool held = wanted != nullptr && wanted->*setting;
      const bool is_master = std::is_same_v<decltype(setting), decltype(&Link::master)>;
      if (!held && !is_master && is->*setting == entry.*setting) (entry.*setting).reset();
      any = any || entry.*setting;
    });
    if (any) return false;
  }
  memory.ports.erase(entry.name);
  memory.port_of.erase(entry.name);
  memory.refused.erase(format(Key(key(entry))));
  return true;
}

void keep_named_indexes(Memory& memory, const State& want) {
  std::set<IfName> named;
  const auto name = [&](const State& state) {
    for (const Link& link : state.of<Link>()) {
      named.insert(link.name);
      if (link.master) named.insert(*link.master);
    }
    for (const Sysctl& sysctl : state.of<Sysctl>()) {
      if (const auto link = link_of(sysctl.path)) named.insert(*link);
    }
  };
  name(memory.earlier);
  name(want);
  std::erase_if(memory.indexes, [&](const auto& entry) { return !named.contains(entry.first); });
}

}  // namespace

void forget(Memory& memory, const State& want, const State& now) {
  forget_sysctls(memory, want, now);
  std::erase_if(memory.earlier.of<Link>(),
                [&](Link& entry) { return forget_link(memory, entry, want, now); });
  std::erase_if(memory.earlier.of<SharedChain>(), [&](const SharedChain& chain) {
    const SharedChain* wanted = want.find<SharedChain>(key(chain));
    if (wanted != nullptr && wanted->policy) return false;
    const SharedChain* is = now.find<SharedChain>(key(chain));
    return is == nullptr || is->policy == chain.policy;
  });
  keep_named_indexes(memory, want);
}

}  // namespace plumbline::memory
