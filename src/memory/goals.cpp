#include "plumbline/memory/goals.hpp"

#include <algorithm>
#include <set>

#include "plumbline/memory/applied.hpp"
#include "settings.hpp"

namespace plumbline::memory {

Goals::Goals(const Memory& memory, const State& want) : memory_(&memory), want_(&want) {
  if (memory.followed.empty()) return;
  const std::vector<IfName> any{IfName()};
  for (const Sysctl& sysctl : want.of<Sysctl>()) {
    if (!changed_along(sysctl, any).empty()) drivers_.push_back(sysctl);
  }
}

bool Goals::is_held(const std::string& path) const {
  return std::ranges::any_of(
      drivers_, [&](const Sysctl& driver) { return value_along(driver, path).has_value(); });
}

std::optional<Sysctl> Goals::sysctl(const std::string& path) const {
  const Sysctl* before = memory_->earlier.find<Sysctl>({path});
  if (before == nullptr) return std::nullopt;
  const auto followed = memory_->followed.find(path);
  if (followed == memory_->followed.end()) return *before;
  for (const Sysctl& driver : drivers_) {
    const auto held = value_along(driver, path);
    if (!held) continue;
    if (!followed->second.set) return std::nullopt;
    return Sysctl{path, followed->second.left.empty() ? *held : followed->second.left};
  }
  return *before;
}

bool Goals::follows(const Sysctl& value, const Sysctl& driver) const {
  const auto followed = memory_->followed.find(value.path);
  if (followed == memory_->followed.end() || followed->second.left.empty()) return true;
  const bool sometimes = driver.path.find("/default/") != std::string::npos;
  return !sometimes || value_along(driver, value.path) == followed->second.left;
}

Link Goals::completed(Link want, const Link& have) const {
  const Link* earlier = memory_->earlier.find<Link>(key(want));
  if (earlier == nullptr) return want;
  for_each_setting([&](auto setting) {
    if (!(want.*setting)) want.*setting = earlier->*setting;
  });
  std::optional<IfName> bridge = want.master ? want.master : have.master;
  if (bridge == in_no_bridge) bridge.reset();
  if (!bridge) return want;
  std::optional<PortSettings> port;
  if (bridge == have.master) {
    port = earlier->port;
  } else if (const auto found = memory_->ports.find(want.name);
             found != memory_->ports.end() && bridge == earlier->master) {
    port = found->second;
  }
  if (!port) return want;
  if (!want.port) want.port.emplace();
  fall_back(*want.port, *port);
  return want;
}

std::optional<Link> Goals::with_earlier(const Link& want, const Link& have) const {
  if (!is_only_set(want)) return std::nullopt;
  Link full = completed(want, have);
  full.marked = have.marked;
  return full;
}

/// Of a device that nothing is remembered of no endpoint counts as new.
std::optional<WireGuard> Goals::with_earlier(const WireGuard& want,
                                             const WireGuard& /*have*/) const {
  const auto& applied = memory_->applied;
  if (!applied.contains(format(key(want)))) return std::nullopt;
  WireGuard full = want;
  for (WireGuardPeer& peer : full.peers) {
    if (!peer.endpoint) continue;
    const auto found = applied.find(endpoint_key(full, peer));
    peer.endpoint_is_new =
        found == applied.end() || found->second != digest_of(format(*peer.endpoint));
  }
  return full;
}

std::optional<SharedChain> Goals::with_earlier(const SharedChain& want,
                                               const SharedChain& /*have*/) const {
  const SharedChain* earlier = memory_->earlier.find<SharedChain>(key(want));
  if (earlier == nullptr || want.policy) return std::nullopt;
  SharedChain full = want;
  full.policy = earlier->policy;
  return full;
}

std::optional<WayBack<Link>> Goals::way_back(const Link& have) const {
  if (have.marked || memory_->earlier.find<Link>(key(have)) == nullptr) return std::nullopt;
  Link goal;
  goal.name = have.name;
  return WayBack<Link>{have, completed(std::move(goal), have)};
}

std::optional<WayBack<Sysctl>> Goals::way_back(const Sysctl& have) const {
  const auto goal = sysctl(have.path);
  if (!goal) return std::nullopt;
  return WayBack<Sysctl>{have, *goal};
}

std::optional<WayBack<SharedChain>> Goals::way_back(const SharedChain& have) const {
  const SharedChain* earlier = memory_->earlier.find<SharedChain>(key(have));
  if (earlier == nullptr || !earlier->policy || earlier->policy == have.policy) {
    return std::nullopt;
  }
  SharedChain without = have;
  without.insert = {};
  without.append = {};
  without.strays = {};
  without.stray_places.clear();
  WayBack<SharedChain> way{without, without};
  way.to.policy = earlier->policy;
  return way;
}

bool Goals::looks_after(const Link& have, bool lost) const {
  if (lost) return false;
  if (memory_->earlier.find<Link>(key(have)) != nullptr) return true;
  const Link* want = want_->find<Link>(key(have));
  return want != nullptr && is_only_set(*want);
}

std::string Goals::refusal(const Key& key) const {
  if (memory_->refused.empty()) return {};
  const auto found = memory_->refused.find(format(key));
  return found == memory_->refused.end() ? std::string() : found->second;
}

std::vector<std::string> Goals::watched() const {
  std::vector<std::string> paths;
  for (const Sysctl& sysctl : memory_->earlier.of<Sysctl>()) {
    const auto followed = memory_->followed.find(sysctl.path);
    const bool only_followed = followed != memory_->followed.end() && !followed->second.set;
    if (!only_followed || !is_held(sysctl.path)) paths.push_back(sysctl.path);
  }
  return paths;
}

namespace {

/// Whether the value of `sysctl` is what a remembered one made of it that somebody else wrote.
bool drifted_along(const Memory& memory, const State& want, const State& have,
                   const Sysctl& sysctl) {
  return std::ranges::any_of(memory.earlier.of<Sysctl>(), [&](const Sysctl& remembered) {
    const Sysctl* driver = have.find<Sysctl>(key(remembered));
    if (driver == nullptr || value_along(*driver, sysctl.path) != sysctl.value) return false;
    const Sysctl* wanted = want.find<Sysctl>(key(remembered));
    return wanted == nullptr || wanted->value != driver->value;
  });
}

}  // namespace

void heed(Memory& memory, const State& want, const State& have) {
  for (auto& [path, followed] : memory.followed) {
    if (followed.set || followed.left.empty()) continue;
    const Sysctl* now = have.find<Sysctl>({path});
    if (now == nullptr || now->value == followed.left) continue;
    if (want.find<Sysctl>({path}) != nullptr || drifted_along(memory, want, have, *now)) continue;
    auto& earlier = memory.earlier.of<Sysctl>();
    const auto entry = std::ranges::lower_bound(earlier, path, {}, &Sysctl::path);
    if (entry == earlier.end() || entry->path != path) continue;
    entry->value = now->value;
    followed.left = now->value;
  }
}

Scope scope_of(const State& want, const Memory& memory) {
  std::set<std::string> paths;
  for (const Sysctl& sysctl : want.of<Sysctl>()) paths.insert(sysctl.path);
  for (std::string& path : Goals(memory, want).watched()) paths.insert(std::move(path));
  return {{paths.begin(), paths.end()}};
}

}  // namespace plumbline::memory
