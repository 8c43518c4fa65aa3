// Which way a packet of the host's own would take: fib_table_lookup() in net/ipv4/fib_trie.c,
// fib6_table_lookup() in net/ipv6/route.c, and the policy rules before them.

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "tests/sim/routes.hpp"

namespace plumbline::sim {

namespace {

constexpr Way nowhere{nullptr, nullptr, ENETUNREACH};

/// fib_props: what a route says instead of leading somewhere.
int error_of(std::uint8_t type) {
  switch (type) {
    case RTN_BLACKHOLE:
      return EINVAL;
    case RTN_UNREACHABLE:
      return EHOSTUNREACH;
    case RTN_PROHIBIT:
      return EACCES;
    case RTN_THROW:
      return EAGAIN;
    default:
      return 0;
  }
}

const Nexthop* usable(const Route& route, const Flow& flow) {
  for (const Nexthop& nexthop : route.nexthops) {
    if ((nexthop.flags & RTNH_F_DEAD) != 0) continue;
    if (flow.device == 0 || nexthop.device == flow.device) return &nexthop;
  }
  return nullptr;
}

/// fib_rule_match(): a packet without a mark, of no protocol, that root is about to send.
bool takes(const Rule& rule, const Flow& flow) {
  const IpAddress from = IpAddress::any(flow.to.family());
  const int incoming = flow.to.family() == Family::inet ? 1 : 0;  // LOOPBACK_IFINDEX
  bool taken = rule.iif.empty() || (incoming != 0 && rule.iif_index == incoming);
  taken = taken && (rule.oif.empty() || (flow.device != 0 && rule.oif_index == flow.device));
  taken = taken && (rule.mark & rule.mask) == 0;
  taken = taken && (!rule.from || rule.from->contains(from));
  taken = taken && (!rule.to || rule.to->contains(flow.to));
  taken = taken && rule.tos == 0 && rule.ip_protocol == 0;
  taken = taken && !rule.source_ports && !rule.destination_ports;
  taken = taken && (!rule.uids || rule.uids->front() == 0);
  return taken != ((rule.flags & FIB_RULE_INVERT) != 0);
}

}  // namespace

Way look_up_in(const Namespace& there, const Flow& flow, std::uint32_t table) {
  const Family family = flow.to.family();
  Way best{nullptr, nullptr, EAGAIN};
  for (const Route& route : there.routing(family).routes) {
    if (route.table != table || !route.to.contains(flow.to)) continue;
    if (family == Family::inet && (route.scope < flow.scope || route.tos != 0)) continue;
    // Of those alike the first counts.
    if (best.route != nullptr && best.route->to.length() >= route.to.length()) continue;
    const bool is_error = family == Family::inet && error_of(route.type) != 0;
    const Nexthop* nexthop = usable(route, flow);
    if (nexthop == nullptr && !is_error) continue;
    best = {&route, nexthop, is_error ? error_of(route.type) : 0};
  }
  return best;
}

Way look_up(const Namespace& there, const Flow& flow) {
  const std::vector<Rule>& rules = there.routing(flow.to.family()).rules;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules[i];
    if (!takes(rule, flow)) continue;
    switch (rule.action) {
      case FR_ACT_TO_TBL:
        break;
      case FR_ACT_GOTO: {
        const auto target = std::ranges::find(rules, rule.target, &Rule::priority);
        if (target != rules.end()) i = static_cast<std::size_t>(target - rules.begin()) - 1;
        continue;
      }
      case FR_ACT_UNREACHABLE:
        return nowhere;
      case FR_ACT_PROHIBIT:
        return {nullptr, nullptr, EACCES};
      case FR_ACT_BLACKHOLE:
        return {nullptr, nullptr, EINVAL};
      default:
        continue;
    }
    const Way way = look_up_in(there, flow, rule.table);
    if (way.error == EAGAIN) continue;
    const bool suppressed = way.error == 0 && rule.suppress_length != UINT32_MAX &&
                            way.route->to.length() <= rule.suppress_length;
    if (!suppressed) return way;
  }
  return nowhere;
}

}  // namespace plumbline::sim
