// What becomes of an object of which the kernel takes all or a part along.

#include "cascade.hpp"

namespace plumbline::plan {

/// `left`: what the kernel leaves of it; nothing where it takes all.
template <class K>
bool Cascade::constrain(Draft& draft, const K& had, const std::optional<Resource>& left,
                        const End& cause) {
  const Key key = plumbline::key(had);
  if (draft.blocked() && !draft.forced) {
    // It cannot be had as it should be; what is there of it goes.
    draft.forced = true;
    return before(key, cause);
  }
  if (!draft.have) return after(key, cause);
  if (draft.split) return around(key, cause);
  if (!draft.want) return before(key, cause);
  if (!left) {
    draft.replace();
    if (!is_setting(*draft.have)) draft.disrupts = Disruption::traffic;
    around(key, cause);
    return true;
  }
  if constexpr (requires { requires K::is_setting; }) return after(key, cause);
  if constexpr (can_be_released<K>) {
    auto& want = std::get<K>(*draft.want);
    const bool managed = draft.asked && holder(std::get<K>(*draft.asked));
    if (managed && holder(want) != holder(had)) return before(key, cause);
    if (!managed) {
      if (holder(want)) want = released(want);
      return before(key, cause);
    }
  }
  split(key);
  around(key, cause);
  return true;
}

template <class K>
bool Cascade::lose_ours(const K& had, const std::optional<Resource>& left, const End& cause) {
  const K* want = now_.want.find<K>(key(had));
  if constexpr (can_be_released<K>) {
    if (left) return let_go(had, cause, want);
  }
  if constexpr (requires { requires K::is_setting; }) {
    if (want == nullptr) return left && follow_back(had, left, cause);
    if (left) return set_after(had, left, cause, {.want = *want, .asked = *want});
  }
  if (want == nullptr) return add(had, cause, {});
  return add(had, cause, {.want = *want, .asked = *want, .split = true});
}

/// A setting that is changed along is written once that was.
template <class K>
bool Cascade::set_after(const K& had, const std::optional<Resource>& left, const End& cause,
                        Draft draft) {
  if (left == draft.want) return false;
  const Key key = plumbline::key(had);
  add(had, cause, std::move(draft));
  constraints_.erase({{key, Side::down}, cause});
  after(key, cause);
  return true;
}

/// One that no spec names is put back to what it was.
template <class K>
bool Cascade::follow_back(const K& had, const std::optional<Resource>& left, const End& cause) {
  const Draft& driver = drafts_.at(cause.key);
  const auto back = now_.goals.way_back(had);
  if (!back || !driver.have || !now_.goals.refusal(key(had)).empty()) return false;
  if (!now_.goals.follows(had, std::get<K>(*driver.have))) return false;
  if (!set_after(had, left, cause, {.want = complete(back->to, had)})) return false;
  drafts_.at(key(had)).why = Why::unwanted;
  return true;
}

/// A port that loses its bridge leaves it before, so that undoing brings it back.
template <class K>
bool Cascade::let_go(const K& port, const End& cause, const K* want) {
  if (!holder(port)) return false;
  const K alone = released(port);
  if (want == nullptr || !holder(*want)) return add(port, cause, {.want = alone});
  return add(port, cause,
             {.middle = alone, .want = complete(*want, alone), .asked = *want, .split = true});
}

template <class K>
bool Cascade::lose_foreign(const K& had, const std::optional<Resource>& left, const End& cause) {
  const Key key = plumbline::key(had);
  const bool is_port = can_be_released<K> && left;
  if (!now_.options.take_foreign) {
    const std::string loss = is_port ? " would take its bridge from " + format(key) + ","
                                     : " would take " + format(key) + " along,";
    refuse(cause.key, key, "changing " + format(cause.key) + loss + " which is not ours");
    return false;
  }
  if (drafts_.contains(key)) return before(key, cause);
  if constexpr (can_be_released<K>) {
    if (left) return let_go<K>(had, cause, nullptr);
  }
  if (left) return false;
  return add(had, cause, {});
}

bool Cascade::resolve(const kernel::Taken& taken, const Node& cause) {
  const Key key = key_of(taken.before);
  if (key == *cause.key) return false;
  return std::visit(
      [&](const auto& value) {
        const bool ours = is_marked(value, now_.options.mark) ||
                          now_.goals.looks_after(value, !taken.after.has_value());
        if (!ours) {
          return !is_made_by_kernel(taken.before) && lose_foreign(value, taken.after, cause.end());
        }
        const auto found = drafts_.find(key);
        if (found == drafts_.end()) return lose_ours(value, taken.after, cause.end());
        return constrain(found->second, value, taken.after, cause.end());
      },
      taken.before);
}

}  // namespace plumbline::plan
