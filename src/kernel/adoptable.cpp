#include "plumbline/kernel/adoptable.hpp"

#include <linux/rtnetlink.h>

#include <algorithm>

#include "plumbline/kernel/kernel_made.hpp"

namespace plumbline::kernel {

namespace {

// ---- rules: those of one priority are asked in the order in which they were added ---------------

bool are_apart(const std::optional<Prefix>& a, const std::optional<Prefix>& b) {
  return a && b && !a->contains(b->address()) && !b->contains(a->address());
}

template <class T>
bool differ(const std::optional<T>& a, const std::optional<T>& b) {
  return a && b && a != b;
}

bool differ_in_mark(const Rule& a, const Rule& b) {
  const std::uint32_t common = a.fwmask.value_or(0) & b.fwmask.value_or(0);
  return (a.fwmark.value_or(0) & common) != (b.fwmark.value_or(0) & common);
}

/// Whether no packet can be for both.
bool are_apart(const Rule& a, const Rule& b) {
  if (a.invert || b.invert) return false;
  return are_apart(a.from, b.from) || are_apart(a.to, b.to) || differ(a.iif, b.iif) ||
         differ(a.oif, b.oif) || differ(a.ip_protocol, b.ip_protocol) || differ_in_mark(a, b);
}

/// `from all lookup local`, `main` and `default`, which the kernel makes, whoever made it anew.
bool is_default(const Rule& rule) {
  Rule bare;
  bare.family = rule.family;
  bare.priority = rule.priority;
  bare.protocol = rule.protocol;
  bare.table = rule.table;
  return rule == bare && rule.table && rule.table->number >= RT_TABLE_DEFAULT &&
         rule.table->number <= RT_TABLE_LOCAL;
}

std::string why_not(const State& have, const Rule& rule, const Mark& mark) {
  if (rule.protocol == RTPROT_KERNEL || is_default(rule)) return "it is one of the kernel's own";
  if (rule.has_more) return "it says more than a spec can";
  const Rule ours = with_mark(rule, mark);
  for (const Rule& other : have.of<Rule>()) {
    if (other.family != rule.family || other.priority != rule.priority || other == rule) continue;
    const std::string whose = ", of protocol " + std::to_string(other.protocol) + ",";
    if (other == ours) {
      // rule_find() in net/core/fib_rules.c: a protocol of 0 is any.
      if (rule.protocol == 0) {
        return "the same rule is there as ours too, and the kernel cannot tell which of them it is "
               "asked to remove: remove one with ip-rule(8)";
      }
    } else if (with_mark(other, mark) == ours) {
      return "the same rule is there twice, of protocol " + std::to_string(rule.protocol) + whose +
             " and the key does not tell which is meant";
    } else if (!are_apart(rule, other)) {
      return format(key(other)) + whose +
             " has the same priority and may be for the same packets, "
             "and rules of one priority are asked in the order in which they were added";
    }
  }
  return {};
}

// ---- routes -------------------------------------------------------------------------------------

std::string why_not(const State& have, const Route& route, const Mark& /*mark*/) {
  const bool may_be_its = route.protocol == RTPROT_KERNEL || route.protocol == RTPROT_RA;
  if (may_be_its && KernelMade(have)(route)) return "the kernel made it, and removes it by itself";
  if (route.has_more || route.type == RouteType::other) return "it says more than a spec can";
  const auto& routes = have.of<Route>();
  std::size_t of_key = 0;
  for (const Route* other = have.find<Route>(key(route));
       other != nullptr && other != routes.data() + routes.size() && key(*other) == key(route);
       ++other) {
    ++of_key;
  }
  if (of_key > 1) {
    return "there are " + std::to_string(of_key) +
           " routes of this key, and the kernel would change the first of them, whosever it is";
  }
  return {};
}

// ---- addresses ----------------------------------------------------------------------------------

std::string why_not(const State& have, const Address& address, const Mark& /*mark*/) {
  const IpAddress& local = address.local.address;
  const bool loopback =
      local == *IpAddress::parse("::1") || local == *IpAddress::parse("127.0.0.1");
  if (!address.permanent) return "it has a lifetime, so somebody renews it";
  if (loopback || KernelMade(have)(address)) return "the kernel made it, and removes it by itself";
  if (address.peer) return "it has a peer, which no spec can say";
  return {};
}

// ---- links --------------------------------------------------------------------------------------

std::string why_not(const State& /*have*/, const Link& link, const Mark& /*mark*/) {
  if (link.name.view() == "lo") return "it is the kernel's own";
  if (link.kind == LinkKind::physical) {
    return "it is no link that could be made: a spec configures it as `physical`, and it stays "
           "what it is";
  }
  if (!can_be_made(link.kind)) {
    return "no spec can say a link of its kind, " + std::string(format(link.kind)) + ", yet";
  }
  Link noted = link;
  if (link.kind == LinkKind::bridge && link.mac) noted.assignment = note_of_mac(*link.mac);
  if (!has_room_for_mark(noted)) return "its alias is too long to have our mark before it";
  return {};
}

template <class K>
std::string why_not(const State& /*have*/, const K& value, const Mark& /*mark*/) {
  if constexpr (requires { why_not_adoptable(value); }) {
    return why_not_adoptable(value);
  } else if constexpr (requires { requires K::is_adoptable; }) {
    return {};
  } else {
    return "objects of its kind are not adopted";
  }
}

}  // namespace

std::string why_not_adoptable(const State& have, const Resource& object, const Mark& mark) {
  return std::visit([&](const auto& value) { return why_not(have, value, mark); }, object);
}

}  // namespace plumbline::kernel
