#include "plumbline/kernel/reach.hpp"

#include <algorithm>

namespace plumbline::kernel {

namespace {

/// The links that a value is, is on or needs.
std::set<IfName> links_of(const Resource& resource) {
  std::set<IfName> links;
  std::visit(
      [&](const auto& value) {
        for (const Need& need : needs(value)) {
          if (const auto* link = std::get_if<NeedsLink>(&need)) links.insert(link->name);
        }
      },
      resource);
  if (const auto* link = std::get_if<Link>(&resource)) {
    links.insert(link->name);
    if (const auto peer = peer_here(*link)) links.insert(*peer);
  } else if (const auto* address = std::get_if<Address>(&resource)) {
    links.insert(address->link);
  } else if (const auto* tunnel = std::get_if<WireGuard>(&resource)) {
    links.insert(tunnel->name);
  }
  return links;
}

/// What is on a link goes with it, and so do links on it of kinds that no spec knows.
bool takes_along(const Step& step) {
  const auto* before = step.before ? std::get_if<Link>(&*step.before) : nullptr;
  if (before == nullptr) return false;
  if (!step.after) return true;
  return before->up == true && std::get<Link>(*step.after).up == false;
}

/// The link whose IPv6 addresses and routes the kernel takes away with the sysctl, be it `all`: it
/// turns IPv6 off, or its MTU is too small for it (net/ipv6/addrconf.c).
std::string_view loses_ipv6(std::string_view path) {
  constexpr std::string_view settings = "net/ipv6/conf/";
  if (!path.starts_with(settings)) return {};
  path.remove_prefix(settings.size());
  const auto end = path.rfind('/');
  const std::string_view setting = path.substr(end == path.npos ? path.size() : end + 1);
  return setting == "disable_ipv6" || setting == "mtu" ? path.substr(0, end) : std::string_view();
}

}  // namespace

Reach::Reach(const Plan& plan) {
  for (const Step& step : plan.steps) {
    keys_.insert(step.key);
    if (step.before) add(*step.before);
    if (step.after) add(*step.after);
    everything_ = everything_ || takes_along(step);
  }
}

void Reach::add(const Resource& resource) {
  keys_.insert(key_of(resource));
  if (std::holds_alternative<Link>(resource)) {
    links_.merge(links_of(resource));
  } else if (const auto* address = std::get_if<Address>(&resource)) {
    links_.insert(address->link);
    addresses_.insert(key(*address).local);
  } else if (const auto* sysctl = std::get_if<Sysctl>(&resource)) {
    sysctls_ = true;
    const std::string_view link = loses_ipv6(sysctl->path);
    everything_ = everything_ || link == "all";
    if (const auto name = IfName::parse(link)) links_.insert(*name);
  } else if (const auto* chain = std::get_if<Chain>(&resource)) {
    tables_.emplace(chain->family, chain->table);
  } else if (const auto* shared = std::get_if<SharedChain>(&resource)) {
    tables_.emplace(shared->family, shared->table);
  }
}

bool Reach::has(const Resource& resource) const {
  if (keys_.contains(key_of(resource))) return true;
  if (std::holds_alternative<Sysctl>(resource)) return sysctls_;
  if (const auto* chain = std::get_if<Chain>(&resource)) {
    return tables_.contains({chain->family, chain->table});
  }
  if (const auto* shared = std::get_if<SharedChain>(&resource)) {
    return tables_.contains({shared->family, shared->table});
  }
  // The kernel changes none along with anything.
  if (std::holds_alternative<Rule>(resource)) return false;
  if (everything_) return true;
  // fib_sync_down_addr() in net/ipv4/fib_semantics.c: routes go with their source, on any link.
  const auto* route = std::get_if<Route>(&resource);
  if (route != nullptr && route->src && addresses_.contains(*route->src)) return true;
  const std::set<IfName> links = links_of(resource);
  return std::ranges::any_of(links, [&](const IfName& link) { return links_.contains(link); });
}

}  // namespace plumbline::kernel
