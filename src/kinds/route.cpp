#include "plumbline/kinds/route.hpp"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "route_facts.hpp"
#include "spec_words.hpp"

namespace plumbline {

namespace {

/// The first nexthop of `have` that `nexthop` describes as far as it says anything.
const Nexthop* described(const Nexthop& nexthop, const std::vector<Nexthop>& have) {
  const auto it = std::ranges::find_if(have, [&](const Nexthop& other) {
    return other.via == nexthop.via && other.weight == nexthop.weight &&
           other.onlink == nexthop.onlink;
  });
  return it == have.end() ? nullptr : &*it;
}

}  // namespace

std::string_view format(RouteType type) {
  switch (type) {
    case RouteType::unicast:
      return "unicast";
    case RouteType::local:
      return "local";
    case RouteType::blackhole:
      return "blackhole";
    case RouteType::unreachable:
      return "unreachable";
    case RouteType::prohibit:
      return "prohibit";
    case RouteType::other:
      break;
  }
  return "other";
}

Route::Key key(const Route& route) {
  return {route.family(), route.table, route.to, route.metric, route.tos};
}

std::string format(const Route::Key& key) {
  std::string text = "route " + std::string(format(key.family)) + ' ' + format(key.table) + ' ';
  text += key.to.length() == 0 ? "default" : format(key.to);
  if (key.tos != 0) text += " tos " + detail::hex(key.tos);
  const std::uint32_t unsaid = key.family == Family::inet6 ? detail::ipv6_default_metric : 0;
  if (key.metric != unsaid) text += " metric " + std::to_string(key.metric);
  return text;
}

std::vector<Need> needs(const Route& route) {
  std::vector<Need> needs;
  if (detail::goes_nowhere(route.type)) return needs;
  for (const Nexthop& nexthop : route.nexthops) {
    if (nexthop.dev) needs.emplace_back(NeedsLink{*nexthop.dev, true});
    if (nexthop.via && !nexthop.onlink && !is_link_local(*nexthop.via)) {
      needs.emplace_back(NeedsGateway{*nexthop.via, nexthop.dev, route.table});
    }
  }
  if (route.src) needs.emplace_back(NeedsAddress{*route.src});
  std::ranges::sort(needs);
  needs.erase(std::unique(needs.begin(), needs.end()), needs.end());
  return needs;
}

bool is_marked(const Route& route, const Mark& mark) { return route.protocol == mark.protocol; }

Route with_mark(Route route, const Mark& mark) {
  route.protocol = mark.protocol;
  return route;
}

Route complete(Route want, const Route& have) {
  std::vector<Nexthop> open = have.nexthops;
  for (Nexthop& nexthop : want.nexthops) {
    if (nexthop.dev) std::erase(open, nexthop);
  }
  for (Nexthop& nexthop : want.nexthops) {
    if (nexthop.dev || !nexthop.via) continue;
    const Nexthop* found = described(nexthop, open);
    if (found == nullptr) continue;
    nexthop.dev = found->dev;
    std::erase(open, nexthop);
  }
  std::ranges::sort(want.nexthops);
  return want;
}

Transition transition(const Route& have, const Route& want) {
  if (have == want) return {};
  if (!detail::goes_nowhere(have.type) && detail::goes_nowhere(want.type)) {
    return {Change::update, Disruption::traffic};
  }
  const bool moves_sessions = have.nexthops != want.nexthops || have.src != want.src;
  return {Change::update, moves_sessions ? Disruption::sessions : Disruption::nothing};
}

bool comes_by_itself(const Route& route) { return route.protocol == RTPROT_KERNEL; }

bool may_come_right(const Route& route, int error) {
  return error == EINVAL && route.src && route.family() == Family::inet6;
}

}  // namespace plumbline
