#include "plumbline/kernel/readdressing.hpp"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>

namespace plumbline::kernel {

namespace {

Step made(Resource value) {
  Step step;
  step.key = key_of(value);
  step.action = Action::create;
  step.after = std::move(value);
  return step;
}

Step unmade(Resource value) {
  Step step;
  step.key = key_of(value);
  step.action = Action::remove;
  step.before = std::move(value);
  return step;
}

/// The same address with another length, which the kernel takes for another one, and without a
/// route to its network.
std::optional<Address> place_holder(const State& now, const Address& address) {
  Address holder = address;
  holder.chosen_flags = IFA_F_NOPREFIXROUTE;
  holder.secondary.reset();
  for (std::uint8_t length = 32; length > 0; --length) {
    holder.local.length = length;
    if (now.find<Address>(key(holder)) == nullptr) return holder;
  }
  return std::nullopt;
}

/// In place of the route that the kernel has for the network of the address, and behind it.
Route network_holder(const Address& address) {
  Route route;
  route.table = main_table;
  route.to = address.local.network();
  route.metric = UINT32_MAX - 1;
  route.protocol = address.protocol;
  route.scope = RT_SCOPE_LINK;
  route.nexthops = {{std::nullopt, address.link}};
  route.src = address.local.address;
  return route;
}

/// Another address that the kernel removes along with `address`, unless it promotes it.
const Address* taken_along(const State& now, const Address& address) {
  const Link* link = now.find<Link>(Link::Key{address.link});
  const bool promotes = link != nullptr && link->promote_secondaries.value_or(false);
  if (promotes || address.secondary.value_or(false)) return nullptr;
  const auto& all = now.of<Address>();
  const auto found = std::ranges::find_if(all, [&](const Address& other) {
    return other.link == address.link && other.secondary.value_or(false) &&
           other.local.length == address.local.length &&
           other.local.network() == address.local.network();
  });
  return found == all.end() ? nullptr : &*found;
}

std::vector<Step> readdressing_steps(const State& now, const Address& theirs, const Address& ours) {
  std::vector<Step> steps;
  const auto holder = place_holder(now, ours);
  if (holder) steps.push_back(made(*holder));
  const bool has_network = theirs.local.length < 32 && holder && !theirs.secondary.value_or(false);
  if (has_network) steps.push_back(made(network_holder(ours)));
  steps.push_back(unmade(theirs));
  steps.push_back(made(ours));
  if (has_network) steps.push_back(unmade(network_holder(ours)));
  if (holder) steps.push_back(unmade(*holder));
  return steps;
}

}  // namespace

std::optional<Readdressing> readdressing(const State& now, const Resource& theirs,
                                         const Resource& ours) {
  const auto* address = std::get_if<Address>(&theirs);
  if (address == nullptr || address->local.address.family() != Family::inet) return std::nullopt;
  if (const Address* other = taken_along(now, *address)) return Readdressing{{}, key(*other)};
  return Readdressing{readdressing_steps(now, *address, std::get<Address>(ours)), std::nullopt};
}

}  // namespace plumbline::kernel
