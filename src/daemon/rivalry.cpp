#include "plumbline/daemon/rivalry.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace plumbline::daemon {

std::vector<Truce> Rivalry::repaired(std::span<const Contested> objects, TimePoint now) {
  drop_forgotten(now);
  std::vector<Truce> truces;
  for (const Contested& object : objects) {
    Fight& fight = fights_[object];
    std::erase_if(fight.repairs, [&](TimePoint at) { return at + patience_.within <= now; });
    fight.repairs.push_back(now);
    const bool fought_before = fight.truce != Duration::zero();
    if (fight.repairs.size() < (fought_before ? patience_.repairs_again : patience_.repairs)) {
      continue;
    }
    fight.repairs.clear();
    if (object.stake == Stake::guard) {
      fight.truce = patience_.guard_truce;
    } else {
      fight.truce =
          fought_before ? std::min(2 * fight.truce, patience_.last_truce) : patience_.first_truce;
    }
    fight.until = now + fight.truce;
    truces.push_back(Truce{object, fight.truce, !fought_before});
  }
  return truces;
}

std::set<Contested> Rivalry::held(TimePoint now) const {
  std::set<Contested> objects;
  for (const auto& [object, fight] : fights_) {
    if (fight.until > now) objects.insert(object);
  }
  return objects;
}

bool Rivalry::is_fought_over(const Contested& object) const {
  const auto found = fights_.find(object);
  return found != fights_.end() && found->second.truce != Duration::zero();
}

TimePoint Rivalry::next_release(TimePoint now) const {
  TimePoint next = TimePoint::max();
  for (const auto& [object, fight] : fights_) {
    if (fight.until > now) next = std::min(next, fight.until);
  }
  return next;
}

/// A fight is over when there was no repair for a minute, nor for as long after a truce as the
/// truce was: this also bounds what is remembered.
void Rivalry::drop_forgotten(TimePoint now) {
  std::erase_if(fights_, [&](const auto& entry) {
    const Fight& fight = entry.second;
    const bool calm = fight.repairs.empty() || fight.repairs.back() + patience_.within <= now;
    const bool long_after =
        fight.truce == Duration::zero() || fight.until + fight.truce + patience_.within <= now;
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
