// The TAPs of guests, as they are told among all links.

#include <algorithm>

#include "plumbline/spec/assignments.hpp"
#include "plumbline/spec/facts.hpp"

namespace plumbline::spec {

void know_by_place(State& have, const std::vector<Assignment>& copy, const Mark& mark) {
  for (const Assignment& assignment : copy) {
    const Link* const bridge = have.find<Link>({assignment.network});
    if (bridge == nullptr || !is_marked(*bridge, mark)) continue;
    std::vector<Link>& links = have.of<Link>();
    const auto tap = std::ranges::lower_bound(links, assignment.tap, {}, &Link::name);
    if (tap == links.end() || tap->name != assignment.tap || is_marked(*tap, mark)) continue;
    if (tap->kind != LinkKind::tap || tap->master != assignment.network) continue;
    tap->marked = true;
    tap->alias.reset();
  }
}

std::optional<IfName> network_of_guest(const Resource& tap) {
  const auto* link = std::get_if<Link>(&tap);
  if (link == nullptr) return std::nullopt;
  const auto assignment = parse_assignment(link->assignment, link->name);
  if (!assignment) return std::nullopt;
  return assignment->network;
}

}  // namespace plumbline::spec
