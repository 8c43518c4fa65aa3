#include "flap_backoff.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace plumbline::daemon {

std::vector<Backoff> FlapBackoff::repaired(std::span<const Contested> objects, TimePoint now) {
  drop_forgotten(now);
  std::vector<Backoff> backoffs;
  for (const Contested& object : objects) {
    Flapping& fight = flapping_[object];
    std::erase_if(fight.repairs, [&](TimePoint at) { return at + limits_.within <= now; });
    fight.repairs.push_back(now);
    const bool flapped_before = fight.backoff != Duration::zero();
    if (fight.repairs.size() < (flapped_before ? limits_.repairs_again : limits_.repairs)) {
      continue;
    }
    fight.repairs.clear();
    if (object.stake == Stake::guard) {
      fight.backoff = limits_.guard_backoff;
    } else {
      fight.backoff = flapped_before ? std::min(2 * fight.backoff, limits_.last_backoff)
                                     : limits_.first_backoff;
    }
    fight.until = now + fight.backoff;
    backoffs.push_back(Backoff{object, fight.backoff, !flapped_before});
  }
  return backoffs;
}

std::set<Contested> FlapBackoff::held(TimePoint now) const {
  std::set<Contested> objects;
  for (const auto& [object, fight] : flapping_) {
    if (fight.until > now) objects.insert(object);
  }
  return objects;
}

bool FlapBackoff::is_flapping(const Contested& object) const {
  const auto found = flapping_.find(object);
  return found != flapping_.end() && found->second.backoff != Duration::zero();
}

TimePoint FlapBackoff::next_release(TimePoint now) const {
  TimePoint next = TimePoint::max();
  for (const auto& [object, fight] : flapping_) {
    if (fight.until > now) next = std::min(next, fight.until);
  }
  return next;
}

/// A fight is over when there was no repair for a minute, nor for as long after a backoff as the
/// backoff was: this also bounds what is remembered.
void FlapBackoff::drop_forgotten(TimePoint now) {
  std::erase_if(flapping_, [&](const auto& entry) {
    const Flapping& fight = entry.second;
    const bool calm = fight.repairs.empty() || fight.repairs.back() + limits_.within <= now;
    const bool long_after =
        fight.backoff == Duration::zero() || fight.until + fight.backoff + limits_.within <= now;
    return calm && long_after;
  });
}

std::vector<Contested> repairs_of(const Plan& plan) {
  std::set<Contested> objects;
  for (const Step& step : plan.steps) {
    if (step.why == Why::drifted) objects.insert(contested_by(step));
  }
  return {objects.begin(), objects.end()};
}

namespace {

/// Marks what has to go with the steps already marked. Whether it marked any.
bool spread(const Plan& plan, std::vector<bool>& gone) {
  std::set<std::size_t> halves;
  std::set<Key> keys;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (!gone[i]) continue;
    halves.insert(plan.steps[i].id);
    keys.insert(plan.steps[i].key);
  }
  bool any = false;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (gone[i]) continue;
    const Step& step = plan.steps[i];
    const bool for_its_sake = step.why == Why::cascade && step.cause && keys.contains(*step.cause);
    const bool needs_it =
        std::ranges::any_of(step.needs, [&](std::size_t need) { return bool{gone[need]}; });
    if (!for_its_sake && !needs_it && !halves.contains(step.id)) continue;
    gone[i] = true;
    any = true;
  }
  return any;
}

/// The steps that are not `gone`, nor make no sense without those.
Plan rest_of(const Plan& plan, std::vector<bool> gone, std::vector<Key>& left_out) {
  while (spread(plan, gone)) {
  }
  Plan rest;
  rest.blocked = plan.blocked;
  rest.warnings = plan.warnings;
  rest.refusals = plan.refusals;
  std::vector<std::size_t> position(plan.steps.size(), std::numeric_limits<std::size_t>::max());
  std::set<Key> keys;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (gone[i]) {
      keys.insert(plan.steps[i].key);
      continue;
    }
    position[i] = rest.steps.size();
    rest.steps.push_back(plan.steps[i]);
    for (std::size_t& need : rest.steps.back().needs) need = position[need];
  }
  left_out.assign(keys.begin(), keys.end());
  return rest;
}

}  // namespace

Plan without(const Plan& plan, const std::set<Contested>& held, std::vector<Key>& left_out) {
  std::vector<bool> gone(plan.steps.size());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    gone[i] = step.why == Why::drifted && held.contains(contested_by(step));
  }
  return rest_of(plan, std::move(gone), left_out);
}

Plan without_all(const Plan& plan, const std::set<Key>& keys, std::vector<Key>& left_out) {
  std::vector<bool> gone(plan.steps.size());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) gone[i] = keys.contains(plan.steps[i].key);
  return rest_of(plan, std::move(gone), left_out);
}

Plan guards_of(const Plan& plan) {
  std::vector<bool> gone(plan.steps.size());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    gone[i] = step.why != Why::drifted || stake_of(step) != Stake::guard;
  }
  std::vector<Key> ignored;
  Plan guards = rest_of(plan, std::move(gone), ignored);
  guards.refusals.clear();
  return guards;
}

}  // namespace plumbline::daemon
