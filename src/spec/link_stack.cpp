#include "link_stack.hpp"

#include <algorithm>
#include <string>

#include "quoted.hpp"

namespace plumbline::spec {

namespace {

using wire::Entry;

}  // namespace

void LinkStack::count_port(const Entry& place, const IfName& bridge) {
  if (++ports_[bridge] != most_bridge_ports + 1) return;
  place.error(Code::out_of_range, "the bridge " + quoted(bridge) + " takes " +
                                      std::to_string(most_bridge_ports) +
                                      " ports, and this is one more: use another bridge");
}

void LinkStack::add(const Entry& entry, const Link& link) {
  if (const auto master = entry.find("master"); master && link.master) {
    above_[link.name].push_back({*link.master, *master});
    count_port(*master, *link.master);
  }
  const auto lower = lower_link(link);
  const auto options = entry.find(format(link.kind));
  const auto device = options ? options->find("device") : std::nullopt;
  if (lower && device) above_[*lower].push_back({link.name, *device});
}

void LinkStack::check() {
  for (const auto& [name, ignored] : above_) {
    if (levels_[name].height == 0) walk(name);
  }
}

/// `below` and what stands on it by way of `above`, whose height is known.
void LinkStack::pile(const IfName& below, const Above& above) {
  const std::size_t height = levels_[above.name].height + 1;
  Level& level = levels_[below];
  if (height > most_links_in_a_stack && level.height <= most_links_in_a_stack) {
    above.place.error(Code::invalid_link,
                      "from " + quoted(below) + " on there would be more than " +
                          std::to_string(most_links_in_a_stack) +
                          " links on one another, which the kernel refuses: leave some out");
  }
  level.height = std::max(level.height, height);
}

/// Depth first without recursion, as a spec may have a hundred thousand in a row.
void LinkStack::walk(const IfName& from) {
  struct Visit {
    const IfName* name;
    const std::vector<Above>* above;
    std::size_t next = 0;
  };
  std::vector<Visit> way;
  const auto enter = [&](const IfName& name) {
    static const std::vector<Above> nothing;
    const auto found = above_.find(name);
    levels_[name] = {1, true};
    way.push_back({&name, found == above_.end() ? &nothing : &found->second});
  };
  enter(from);
  while (!way.empty()) {
    Visit& here = way.back();
    if (here.next == here.above->size()) {
      levels_[*here.name].open = false;
      way.pop_back();
      if (!way.empty()) pile(*way.back().name, (*way.back().above)[way.back().next - 1]);
      continue;
    }
    const Above& next = (*here.above)[here.next++];
    const Level level = levels_[next.name];
    if (level.open) {
      next.place.error(Code::invalid_link, quoted(next.name) +
                                               " would stand on itself, by way of " +
                                               quoted(*here.name) + ": name another link");
    } else if (level.height == 0) {
      enter(next.name);
    } else {
      pile(*here.name, next);
    }
  }
}

}  // namespace plumbline::spec
