// What an adoption came to, and the marking of IPv4 addresses that the kernel does not do in place.

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "plumbline/plan/adoption.hpp"

namespace plumbline {

namespace {

/// Whether `now` has what the step was to lead to, and no longer what it started from.
template <class K>
bool came_true(const State& now, const Step& step, const K& /*kind*/) {
  const auto is_there = [&](const std::optional<Resource>& value) {
    if (!value) return false;
    const K& wanted = std::get<K>(*value);
    return std::ranges::any_of(now.of<K>(), [&](const K& have) {
      return key(have) == key(wanted) && complete(wanted, have) == have;
    });
  };
  return !is_there(step.before) && (!step.after || is_there(step.after));
}

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

std::vector<std::size_t> not_adopted(const State& now, const Plan& plan) {
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    const bool good =
        std::visit([&](const auto& value) { return came_true(now, step, value); }, *step.before);
    if (!good) positions.push_back(i);
  }
  return positions;
}

Plan make_readdressing(const State& now, const Plan& plan, const std::vector<std::size_t>& steps) {
  Plan result;
  for (const std::size_t position : steps) {
    const Step& step = plan.steps.at(position);
    const auto* theirs = std::get_if<Address>(&*step.before);
    if (theirs == nullptr || !step.after || theirs->local.address.family() != Family::inet)
      continue;
    if (const Address* other = taken_along(now, *theirs)) {
      result.refusals.push_back({Code::not_adoptable,
                                 "this kernel marks no IPv4 address in place, and removing " +
                                     format(step.key) + " would take " + format(key(*other)) +
                                     " along",
                                 {},
                                 {}});
      continue;
    }
    for (Step& part : readdressing_steps(now, *theirs, std::get<Address>(*step.after))) {
      part.id = result.steps.size();
      part.why = Why::adopted;
      part.cause = step.key;
      if (!result.steps.empty()) part.needs = {result.steps.size() - 1};
      result.steps.push_back(std::move(part));
    }
  }
  return result;
}

}  // namespace plumbline
