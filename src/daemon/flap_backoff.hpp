// Who fights with us over an object: an object that needs repair again and again is left to its
// rival for a while, so that the two do not wear the host out. Everything else is still repaired,
// and a guard is never left for longer than a second.
//
// Pure, and knows times only from its caller. It finds that there is a rival, not who it is.

#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "pacer.hpp"
#include "plumbline/state/step.hpp"
#include "stake.hpp"

namespace plumbline::daemon {

struct FlapLimits {
  std::size_t repairs = 5;  ///< within `within` are one too many
  /// The same after a first backoff: the repair that ended it, and another.
  std::size_t repairs_again = 2;
  Duration within = std::chrono::minutes(1);
  Duration first_backoff = std::chrono::minutes(1);  ///< doubles while the fight goes on
  Duration last_backoff = std::chrono::hours(1);
  /// Of a guard, and always as long: what it denies gets through meanwhile.
  Duration guard_backoff = std::chrono::seconds(1);
};

/// An object that is left alone from now on.
struct Backoff {
  Contested object;
  Duration length;
  bool first = true;  ///< of this fight
};

class FlapBackoff {
 public:
  explicit FlapBackoff(const FlapLimits& limits) : limits_(limits) {}

  /// These objects had drifted and were repaired, at `now`. Those for which that was once too
  /// often are returned, and held back.
  std::vector<Backoff> repaired(std::span<const Contested> objects, TimePoint now);
  [[nodiscard]] std::set<Contested> held(TimePoint now) const;
  /// A fight over it is going on, held or not.
  [[nodiscard]] bool is_flapping(const Contested& object) const;
  /// When the next backoff ends; TimePoint::max() when there is none.
  [[nodiscard]] TimePoint next_release(TimePoint now) const;
  /// Every object is as if it had never been fought over.
  void forget() { flapping_.clear(); }

 private:
  struct Flapping {
    std::vector<TimePoint> repairs;  ///< within the last minute; never more than tolerated
    Duration backoff = Duration::zero();
    TimePoint until;  ///< of the last backoff
  };

  void drop_forgotten(TimePoint now);

  FlapLimits limits_;
  std::map<Contested, Flapping> flapping_;
};

/// What the plan repairs because it had drifted, each once.
[[nodiscard]] std::vector<Contested> repairs_of(const Plan& plan);

/// `plan` without the repairs of `held` objects and every step that makes no sense without them:
/// what needs them, the other half of a replacement, what is taken down for their sake. A step on
/// a held object that is no repair (the spec changed) stays. `left_out` receives the keys of the
/// steps that are gone, each once.
[[nodiscard]] Plan without(const Plan& plan, const std::set<Contested>& held,
                           std::vector<Key>& left_out);

/// What of `plan` puts back guards that drifted, and can be done without the rest of it, whatever
/// is refused there.
[[nodiscard]] Plan guards_of(const Plan& plan);

/// The same without every step on these objects, whatever it is for.
[[nodiscard]] Plan without_all(const Plan& plan, const std::set<Key>& keys,
                               std::vector<Key>& left_out);

}  // namespace plumbline::daemon
