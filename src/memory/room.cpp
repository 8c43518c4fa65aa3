#include "plumbline/memory/room.hpp"

#include <set>

namespace plumbline::memory {

namespace {

/// Names are written with more bytes than they have where these are not UTF-8.
constexpr std::size_t most_per_byte = 6;

}  // namespace

std::size_t bytes_of_objects(const State& want, const Memory& memory) {
  constexpr std::size_t most_of_a_link = 128;
  constexpr std::size_t most_of_a_chain = 128;
  std::set<IfName> links;
  for (const Link& link : want.of<Link>()) {
    if (link.kind != LinkKind::physical) continue;
    links.insert(link.name);
    if (link.master) links.insert(*link.master);
  }
  for (const Sysctl& sysctl : want.of<Sysctl>()) {
    if (const auto link = link_of(sysctl.path)) links.insert(*link);
  }
  std::erase_if(links, [&](const IfName& name) { return memory.indexes.contains(name); });
  // Values that are changed along are small numbers.
  constexpr std::size_t most_of_what_followed = 16;
  std::size_t bytes =
      links.size() * most_of_a_link + memory.followed.size() * most_of_what_followed;
  for (const Link& link : memory.earlier.of<Link>()) {
    if (link.port && !memory.port_of.contains(link.name)) bytes += most_of_a_link;
  }
  for (const SharedChain::Key& chain : chains_of_policies(memory, want)) {
    if (const auto known = memory.chains.find(chain);
        known == memory.chains.end() || known->second.empty()) {
      bytes += chain.table.size() + chain.name.size() + most_of_a_chain;
    }
  }
  return bytes;
}

std::size_t bytes_of_value(const Step& step) {
  constexpr std::size_t most_of_a_sysctl = 512;
  const bool is_new = step.after && !step.before && std::holds_alternative<Sysctl>(*step.after);
  return is_new ? most_of_a_sysctl : 0;
}

std::size_t bytes_of_refusal(const Step& step) {
  constexpr std::size_t most_of_the_words = 256;
  const auto* sysctl = std::get_if<Sysctl>(&*step.after);
  const std::size_t value = sysctl == nullptr ? 0 : sysctl->value.size();
  return most_per_byte * (format(step.key).size() + value) + most_of_the_words;
}

}  // namespace plumbline::memory
