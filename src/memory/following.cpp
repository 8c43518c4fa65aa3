// What is remembered is of the object, not of its name.
//
// A network namespace does not give an index to another link soon (dev_index_reserve() in
// net/core/dev.c goes upwards), and a link keeps its index when it is renamed.

#include <algorithm>
#include <set>

#include "plumbline/memory/memory.hpp"

namespace plumbline::memory {

namespace {

/// What links that are remembered are called now.
class Names {
 public:
  Names(const Memory& memory, const LinkNames& links) : memory_(&memory), links_(&links) {}

  /// Nothing: it is gone. Where its index is not known, it is the one that has the name.
  [[nodiscard]] std::optional<IfName> now(const IfName& name) const {
    const auto index = memory_->indexes.find(name);
    if (index != memory_->indexes.end()) return links_->name(index->second);
    if (links_->index(name) != 0) return name;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> now(const std::string& path) const {
    const auto link = link_of(path);
    if (!link) return path;
    const auto name = now(*link);
    if (!name) return std::nullopt;
    return name == link ? path : path_on(path, *name);
  }
  [[nodiscard]] bool all_as_before() const {
    return std::ranges::all_of(memory_->indexes,
                               [&](const auto& entry) { return now(entry.first) == entry.first; });
  }

 private:
  const Memory* memory_;
  const LinkNames* links_;
};

template <class Value>
void rename(std::map<IfName, Value>& values, const Names& names) {
  std::map<IfName, Value> renamed;
  for (auto& [name, value] : values) {
    if (const auto now = names.now(name)) renamed.emplace(*now, std::move(value));
  }
  values = std::move(renamed);
}

void rename_sysctls(Memory& memory, const Names& names) {
  std::vector<Sysctl> sysctls;
  for (Sysctl& sysctl : memory.earlier.of<Sysctl>()) {
    if (const auto path = names.now(sysctl.path)) sysctls.push_back({*path, sysctl.value});
  }
  memory.earlier.of<Sysctl>() = std::move(sysctls);
  std::map<std::string, Followed> followed;
  for (auto& [path, value] : memory.followed) {
    if (const auto now = names.now(path)) followed.emplace(*now, std::move(value));
  }
  memory.followed = std::move(followed);
}

void rename_links(Memory& memory, const Names& names) {
  std::vector<Link> links;
  for (Link& link : memory.earlier.of<Link>()) {
    const auto name = names.now(link.name);
    if (!name) continue;
    if (link.master && link.master != in_no_bridge) {
      const auto master = names.now(*link.master);
      if (!master) memory.ports.erase(link.name);
      link.master = master.value_or(in_no_bridge);
    }
    link.name = *name;
    links.push_back(std::move(link));
  }
  memory.earlier.of<Link>() = std::move(links);
  rename(memory.ports, names);
  rename(memory.port_of, names);
}

/// Refusals are of sysctls and links, by the words of their keys.
void rename_refusals(Memory& memory, const Memory& before, const Names& names) {
  memory.refused.clear();
  const auto take = [&](const Key& old_key, const Key& new_key) {
    const auto found = before.refused.find(format(old_key));
    if (found != before.refused.end()) memory.refused.emplace(format(new_key), found->second);
  };
  for (const Sysctl& sysctl : before.earlier.of<Sysctl>()) {
    if (const auto path = names.now(sysctl.path)) {
      take(Sysctl::Key{sysctl.path}, Sysctl::Key{*path});
    }
  }
  for (const Link& link : before.earlier.of<Link>()) {
    if (const auto name = names.now(link.name)) take(key(link), Link::Key{*name});
  }
}

/// Its settings as a port went when it left the bridge.
void drop_left_ports(Memory& memory, const LinkNames& links, const State& have) {
  for (Link& link : memory.earlier.of<Link>()) {
    if (!link.port) continue;
    const Link* is = have.find<Link>(key(link));
    const auto of = memory.port_of.find(link.name);
    const std::uint32_t bridge = is != nullptr && is->master ? links.index(*is->master) : 0;
    if (bridge != 0 && (of == memory.port_of.end() || of->second == bridge)) continue;
    link.port.reset();
    memory.port_of.erase(link.name);
  }
}

}  // namespace

void follow(Memory& memory, const LinkNames& links, const State& have) {
  const Names now(memory, links);
  bool complete = true;
  for (const Link& link : memory.earlier.of<Link>()) complete = complete && now.now(link.name);
  for (const Sysctl& sysctl : memory.earlier.of<Sysctl>()) {
    complete = complete && now.now(sysctl.path);
  }
  if (!complete || !now.all_as_before()) {
    const Memory before = memory;
    const Names names(before, links);
    rename_sysctls(memory, names);
    rename_links(memory, names);
    rename_refusals(memory, before, names);
    rename(memory.indexes, names);
    memory.earlier.sort();
  }
  drop_left_ports(memory, links, have);
}

void follow(Memory& memory, const ChainIdentities& now, const State& have) {
  const auto is_gone = [&](const SharedChain::Key& key) {
    const SharedChain* chain = have.find<SharedChain>(key);
    if (chain == nullptr) return true;
    const auto known = memory.chains.find(key);
    const auto is = now.find(key);
    if (known == memory.chains.end() || is == now.end()) return false;
    const bool other = !known->second.empty() && !is->second.empty() && is->second != known->second;
    // With rules of ours it is a copy: iptables-restore made it of what was saved meanwhile.
    return other && !is_marked(*chain, Mark());
  };
  std::erase_if(memory.earlier.of<SharedChain>(),
                [&](const SharedChain& chain) { return is_gone(key(chain)); });
  std::erase_if(memory.chains, [&](const auto& entry) { return is_gone(entry.first); });
  for (auto& [chain, identity] : memory.chains) {
    const auto is = now.find(chain);
    if (is != now.end() && !is->second.empty()) identity = is->second;
  }
}

std::set<SharedChain::Key> chains_of_policies(const Memory& memory, const State& want) {
  std::set<SharedChain::Key> chains;
  for (const SharedChain& chain : memory.earlier.of<SharedChain>()) chains.insert(key(chain));
  for (const SharedChain& chain : want.of<SharedChain>()) {
    if (chain.policy) chains.insert(key(chain));
  }
  return chains;
}

void note_objects(Memory& memory, const ChainIdentities& now) {
  ChainIdentities noted = now;
  for (auto& [chain, identity] : noted) {
    const auto known = memory.chains.find(chain);
    if (known != memory.chains.end() && !known->second.empty()) identity = known->second;
  }
  memory.chains = std::move(noted);
}

void note_objects(Memory& memory, const State& want, const LinkNames& links, const State& have) {
  const auto note = [&](const IfName& name) {
    if (const auto index = links.index(name)) memory.indexes.try_emplace(name, index);
  };
  const auto note_all = [&](const State& state) {
    for (const Link& link : state.of<Link>()) {
      if (link.kind != LinkKind::physical) continue;
      note(link.name);
      if (link.master && link.master != in_no_bridge) note(*link.master);
    }
    for (const Sysctl& sysctl : state.of<Sysctl>()) {
      if (const auto link = link_of(sysctl.path)) note(*link);
    }
  };
  note_all(memory.earlier);
  note_all(want);
  for (const Link& link : memory.earlier.of<Link>()) {
    const Link* is = link.port ? have.find<Link>(key(link)) : nullptr;
    if (is == nullptr || !is->master) continue;
    if (const auto index = links.index(*is->master)) {
      memory.port_of.try_emplace(link.name, index);
    }
  }
}

}  // namespace plumbline::memory
