#include "tests/support/kernel_model.hpp"

#include <algorithm>

#include "tests/support/model_state.hpp"

namespace plumbline::testing {

namespace {

bool same_network(const Address& a, const Address& b) {
  return a.link == b.link && is_ipv4(a) && is_ipv4(b) && a.local.length == b.local.length &&
         a.local.network() == b.local.network();
}

}  // namespace

Step inverse(const Step& step) {
  Step back = step;
  std::swap(back.before, back.after);
  if (step.action == Action::create) back.action = Action::remove;
  if (step.action == Action::remove) back.action = Action::create;
  return back;
}

std::string KernelModel::carry_out(const Step& step) {
  switch (step.action) {
    case Action::create:
      return create(*step.after);
    case Action::remove:
      return std::visit([&](const auto& value) { return destroy(value); }, *step.before);
    case Action::update:
      break;
  }
  return std::visit(
      [&]<class K>(const K& after) { return change(std::get<K>(*step.before), after); },
      *step.after);
}

std::string KernelModel::create(const Resource& value) {
  return std::visit([&](const auto& made) { return make(made); }, value);
}

// ---- addresses ----------------------------------------------------------------------------------

std::string KernelModel::make(const Address& want) {
  if (link(want.link) == nullptr) return "ENODEV: " + format(want.link);
  if (find<Address>(state_, key(want)) != nullptr) return "EEXIST: " + format(key(want));
  Address made = want;
  if (is_ipv4(want)) {
    made.secondary = std::ranges::any_of(state_.of<Address>(), [&](const Address& other) {
      return same_network(other, want) && other.secondary == false;
    });
    lost_ipv4_.erase(want.link);
  } else {
    made.secondary.reset();
    made.dad_failed = false;
  }
  return insert(state_, made);
}

std::string KernelModel::change(const Address& before, const Address& after) {
  if (before.local != after.local) return "EINVAL: another address";
  return replace(state_, before, after);
}

std::string KernelModel::destroy(const Address& gone) {
  const Address* there = find<Address>(state_, key(gone));
  if (there == nullptr) return "EADDRNOTAVAIL: " + format(key(gone));
  const Address had = *there;
  const Link* dev = link(had.link);
  if (is_ipv4(had) && had.secondary == false) {
    std::vector<Address> followers;
    for (const Address& other : state_.of<Address>()) {
      if (same_network(other, had) && other.secondary == true) followers.push_back(other);
    }
    forget_address(had);
    if (dev->promote_secondaries == true) {
      if (!followers.empty()) {
        find<Address>(state_, key(followers.front()))->secondary = false;
      }
    } else {
      for (const Address& follower : followers) forget_address(follower);
    }
  } else {
    forget_address(had);
  }
  const bool ipv4_left = std::ranges::any_of(state_.of<Address>(), [&](const Address& other) {
    return other.link == had.link && is_ipv4(other);
  });
  if (is_ipv4(had) && !ipv4_left) {
    lost_ipv4_.insert(had.link);
    flush_dead_routes(had.link, Family::inet, true);
  }
  return {};
}

void KernelModel::forget_address(const Address& gone) {
  std::erase_if(state_.of<Address>(),
                [&](const Address& other) { return key(other) == key(gone); });
  const bool elsewhere = std::ranges::any_of(state_.of<Address>(), [&](const Address& other) {
    return other.local.address == gone.local.address;
  });
  if (elsewhere) return;
  std::erase_if(state_.of<Route>(), [&](const Route& route) {
    return is_ipv4(gone) && route.table == main_table && route.src == gone.local.address;
  });
  for (Route& route : state_.of<Route>()) {
    if (!is_ipv4(gone) && route.src == gone.local.address) route.src.reset();
  }
}

// ---- routes and rules ---------------------------------------------------------------------------

bool KernelModel::reaches(const IpAddress& gateway, const IfName& dev, TableId table) {
  for (const Address& address : state_.of<Address>()) {
    if (address.link == dev && address.local.network().contains(gateway)) return true;
  }
  for (const Route& route : state_.of<Route>()) {
    if (route.type != RouteType::unicast || !route.to.contains(gateway)) continue;
    if (route.table != main_table && route.table != table) continue;
    for (const Nexthop& nexthop : route.nexthops) {
      if (!nexthop.via && nexthop.dev == dev) return true;
    }
  }
  return false;
}

std::string KernelModel::refusal(Route& route) {
  for (Nexthop& nexthop : route.nexthops) {
    if (!nexthop.dev) {
      for (const Link& link : state_.of<Link>()) {
        if (link.up == true && reaches(*nexthop.via, link.name, route.table)) {
          nexthop.dev = link.name;
          break;
        }
      }
    }
    if (!nexthop.dev) return "ENETUNREACH: no link to the gateway of " + format(key(route));
    const Link* dev = link(*nexthop.dev);
    if (dev == nullptr) return "ENODEV: " + format(*nexthop.dev);
    if (dev->up != true) return "ENETDOWN: " + format(*nexthop.dev);
    if (nexthop.via && !nexthop.onlink && !reaches(*nexthop.via, *nexthop.dev, route.table)) {
      return "ENETUNREACH: " + format(key(route)) + " via " + format(*nexthop.via);
    }
  }
  const auto is_src = [&](const Address& address) { return address.local.address == route.src; };
  if (route.src && std::ranges::none_of(state_.of<Address>(), is_src)) {
    return "EINVAL: the source of " + format(key(route)) + " is no address of ours";
  }
  std::ranges::sort(route.nexthops);
  return {};
}

std::string KernelModel::make(const Route& want) {
  if (find<Route>(state_, key(want)) != nullptr) return "EEXIST: " + format(key(want));
  Route made = want;
  const std::string refused = refusal(made);
  return refused.empty() ? insert(state_, made) : refused;
}

std::string KernelModel::change(const Route& before, const Route& after) {
  Route changed = after;
  const std::string refused = refusal(changed);
  return refused.empty() ? replace(state_, before, changed) : refused;
}

std::string KernelModel::destroy(const Route& route) { return erase(state_, route); }

std::string KernelModel::make(const Rule& rule) {
  if (find<Rule>(state_, key(rule)) != nullptr) return "EEXIST: " + format(key(rule));
  rules_.push_back(rule);
  return insert(state_, rule);
}

std::string KernelModel::change(const Rule& before, const Rule&) {
  return "EOPNOTSUPP: " + format(key(before));
}

/// Deletes the first that passes.
std::string KernelModel::destroy(const Rule& rule) {
  const auto hit = std::ranges::find_if(
      rules_, [&](const Rule& other) { return other == rule || removal_may_hit(rule, other); });
  if (hit == rules_.end()) return "ENOENT: " + format(key(rule));
  if (*hit != rule) return "hits " + format(key(*hit)) + " instead of " + format(key(rule));
  rules_.erase(hit);
  return erase(state_, rule);
}

// ---- sysctls ------------------------------------------------------------------------------------

std::string KernelModel::make(const Sysctl& sysctl) {
  for (const Need& need : needs(sysctl)) {
    if (link(std::get<NeedsLink>(need).name) == nullptr) return "ENOENT: " + sysctl.path;
  }
  return change(sysctl, sysctl);
}

std::string KernelModel::change(const Sysctl& before, const Sysctl& after) {
  if (find<Sysctl>(state_, key(before)) == nullptr) return insert(state_, after);
  return replace(state_, before, after);
}

std::string KernelModel::destroy(const Sysctl&) { return {}; }

}  // namespace plumbline::testing
