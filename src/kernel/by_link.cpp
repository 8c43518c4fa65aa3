#include "plumbline/kernel/by_link.hpp"

namespace plumbline::kernel {

Scope named_by_links(const State& links) {
  Scope scope;
  for (const Link& link : links.of<Link>()) {
    if (link.kind == LinkKind::wireguard) scope.tunnels.push_back(link.name);
  }
  return scope;
}

void mark_as_links(State& state) {
  std::map<IfName, bool> marked;
  for (const Link& link : state.of<Link>()) {
    if (link.kind == LinkKind::wireguard) marked[link.name] = link.marked;
  }
  for (WireGuard& device : state.of<WireGuard>()) device.marked = marked.at(device.name);
}

}  // namespace plumbline::kernel
