#include "plumbline/memory/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "link_json.hpp"
#include "plumbline/base/number.hpp"

namespace plumbline::memory {

namespace json = boost::json;

namespace {

// ---- out ----------------------------------------------------------------------------------------

json::object policies_key(const SharedChain::Key& chain) {
  return {{"family", format(chain.family)}, {"table", chain.table}, {"chain", chain.name}};
}

json::object earlier_to_json(const State& earlier) {
  json::object links;
  for (const Link& link : earlier.of<Link>()) links[text_of(link.name.view())] = link_to_json(link);
  json::object sysctls;
  for (const Sysctl& sysctl : earlier.of<Sysctl>()) sysctls[text_of(sysctl.path)] = sysctl.value;
  json::array policies;
  for (const SharedChain& chain : earlier.of<SharedChain>()) {
    json::object policy = policies_key(key(chain));
    policy["policy"] = chain.policy.value_or("ACCEPT");
    policies.push_back(std::move(policy));
  }
  return {{"links", links}, {"sysctls", sysctls}, {"policies", policies}};
}

json::object indexes_to_json(const std::map<IfName, std::uint32_t>& indexes) {
  json::object object;
  for (const auto& [name, index] : indexes) object[text_of(name.view())] = std::to_string(index);
  return object;
}

// ---- in -----------------------------------------------------------------------------------------

template <class Visit>
void each_member(const wire::Entry& root, const char* name, Visit&& visit) {
  if (const auto member = root.find(name)) member->for_each_member(visit);
}

template <class Visit>
void each_chain(const wire::Entry& root, const char* name, Visit&& visit) {
  const auto member = root.find(name);
  if (!member) return;
  member->for_each_element([&](const wire::Entry& entry) {
    const auto family = parse_family(entry.string("family").value_or(""));
    if (!family) return;
    visit(SharedChain::Key{*family, entry.string("table").value_or(""),
                           entry.string("chain").value_or("")},
          entry);
  });
}

State earlier_from(const wire::Entry& entry) {
  State earlier;
  each_member(entry, "links", [&](const wire::Entry& link) {
    if (const auto name = IfName::parse(bytes_of(link.key()))) {
      earlier.of<Link>().push_back(link_from_json(link, *name));
    }
  });
  each_member(entry, "sysctls", [&](const wire::Entry& sysctl) {
    if (auto value = sysctl.string()) {
      earlier.of<Sysctl>().push_back({bytes_of(sysctl.key()), std::move(*value)});
    }
  });
  each_chain(entry, "policies", [&](const SharedChain::Key& key, const wire::Entry& policy) {
    SharedChain chain;
    chain.family = key.family;
    chain.table = key.table;
    chain.name = key.name;
    chain.policy = policy.string("policy");
    earlier.of<SharedChain>().push_back(std::move(chain));
  });
  earlier.sort();
  return earlier;
}

std::map<IfName, std::uint32_t> indexes_from(const wire::Entry& root, const char* name) {
  std::map<IfName, std::uint32_t> indexes;
  each_member(root, name, [&](const wire::Entry& entry) {
    const auto link = IfName::parse(bytes_of(entry.key()));
    const auto index = parse_number<std::uint32_t>(entry.string().value_or(""));
    if (link && index && *index != 0) indexes.emplace(*link, *index);
  });
  return indexes;
}

std::map<std::string, Followed> followed_from(const wire::Entry& root) {
  std::map<std::string, Followed> followed;
  each_member(root, "followed", [&](const wire::Entry& entry) {
    followed.emplace(bytes_of(entry.key()), Followed{entry.string("left").value_or(""),
                                                     entry.boolean("set").value_or(false)});
  });
  return followed;
}

/// Until there was `followed`, what a sysctl had changed along was kept below its path. What the
/// kernel made of them is not known any more.
void take_along(const wire::Entry& root, Memory& memory) {
  each_member(root, "along", [&](const wire::Entry& driver) {
    driver.for_each_member([&](const wire::Entry& entry) {
      const std::string path = bytes_of(entry.key());
      const auto value = entry.string();
      if (!value || !value_along({std::string(driver.key()), ""}, path)) return;
      const bool set = memory.earlier.find<Sysctl>({path}) != nullptr;
      if (!memory.followed.try_emplace(path, Followed{"", set}).second || set) return;
      memory.earlier.of<Sysctl>().push_back({path, *value});
      memory.earlier.sort();
    });
  });
}

}  // namespace

json::object memory_to_json(const Memory& memory) {
  json::object applied;
  for (const auto& [key, value] : memory.applied) applied[key] = std::to_string(value);
  json::object followed;
  for (const auto& [path, value] : memory.followed) {
    followed[text_of(path)] = json::object{{"left", value.left}, {"set", value.set}};
  }
  json::object ports;
  for (const auto& [name, port] : memory.ports) {
    Link link;
    link.name = name;
    link.port = port;
    ports[text_of(name.view())] = link_to_json(link);
  }
  json::array chains;
  for (const auto& [key, identity] : memory.chains) {
    json::object chain = policies_key(key);
    chain["is"] = identity;
    chains.push_back(std::move(chain));
  }
  json::object refused;
  for (const auto& [key, words] : memory.refused) refused[text_of(key)] = words;
  return {{"earlier", earlier_to_json(memory.earlier)},
          {"applied", std::move(applied)},
          {"followed", std::move(followed)},
          {"ports", std::move(ports)},
          {"indexes", indexes_to_json(memory.indexes)},
          {"port_of", indexes_to_json(memory.port_of)},
          {"chains", std::move(chains)},
          {"refused", std::move(refused)}};
}

Memory memory_from_json(const wire::Entry& root) {
  Memory memory;
  if (const auto earlier = root.find("earlier")) memory.earlier = earlier_from(*earlier);
  each_member(root, "applied", [&](const wire::Entry& entry) {
    if (const auto value = parse_number<std::uint64_t>(entry.string().value_or(""))) {
      memory.applied.emplace(entry.key(), *value);
    }
  });
  memory.followed = followed_from(root);
  take_along(root, memory);
  each_member(root, "ports", [&](const wire::Entry& entry) {
    const auto name = IfName::parse(bytes_of(entry.key()));
    if (!name) return;
    if (const auto port = link_from_json(entry, *name).port) memory.ports.emplace(*name, *port);
  });
  memory.indexes = indexes_from(root, "indexes");
  memory.port_of = indexes_from(root, "port_of");
  each_chain(root, "chains", [&](const SharedChain::Key& key, const wire::Entry& entry) {
    memory.chains.emplace(key, entry.string("is").value_or(""));
  });
  each_member(root, "refused", [&](const wire::Entry& entry) {
    if (auto words = entry.string())
      memory.refused.emplace(bytes_of(entry.key()), std::move(*words));
  });
  return memory;
}

}  // namespace plumbline::memory
