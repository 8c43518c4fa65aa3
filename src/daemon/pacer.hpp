// When to run the next pass: hints and points in time in, one point in time out.
//
// Pure: it reads no clock, so its tests invent the time and never sleep. It does not know what a
// hint is about; every pass looks at everything.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace plumbline::daemon {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

struct Pace {
  Duration quiet = std::chrono::milliseconds(50);     ///< without a hint before a pass runs
  Duration at_most = std::chrono::milliseconds(400);  ///< after the first hint, quiet or not
  Duration interval = std::chrono::seconds(60);       ///< between passes that nothing asked for
  Duration first_retry = std::chrono::seconds(1);     ///< after a failed pass; doubles
  Duration last_retry = std::chrono::minutes(1);
  Duration locked_retry = std::chrono::milliseconds(250);
  Duration guards = std::chrono::seconds(1);  ///< between looks at guards while passes fail
};

/// Why a pass may be due, the stronger reason later. A hint that something was lost is the same
/// hint.
enum class Hint : std::uint8_t {
  kernel,  ///< something changed in the kernel, perhaps by us
  spec,    ///< something changed in the files: a failure before it says nothing any more
  asked,   ///< a person wants a pass now
};

enum class Ending : std::uint8_t {
  settled,  ///< nothing failed, whether or not something was changed
  failed,
  locked,  ///< another plumbline is at work
};

class Pacer {
 public:
  /// The first pass is due at `now`.
  Pacer(const Pace& pace, TimePoint now) : pace_(pace), timer_(now) {}

  void hint(Hint hint, TimePoint now);
  /// Not later than `when`, but no earlier than a failure allows.
  void look_at(TimePoint when);
  /// The hints so far are answered by this pass.
  void pass_starts(TimePoint now);
  /// `jitter`, -1 to 1, moves the next pass that nothing asks for by up to a tenth of the interval.
  void pass_ends(Ending ending, TimePoint now, double jitter);

  /// When the next pass is due; in the past when it is overdue.
  [[nodiscard]] TimePoint wake_at() const;

  /// While a failure holds passes up, the kernel's events are answered by a look at guards alone:
  /// when that is due, TimePoint::max() when it is not.
  [[nodiscard]] TimePoint guards_at() const { return guards_at_; }
  void guards_were_looked_at(TimePoint now);

 private:
  Pace pace_;
  std::optional<TimePoint> first_hint_;  ///< since the last pass began
  TimePoint last_hint_;
  TimePoint timer_;
  TimePoint not_before_;
  TimePoint started_;
  Duration retry_ = Duration::zero();  ///< zero: the last pass did not fail
  TimePoint guards_at_ = TimePoint::max();
  TimePoint guards_not_before_;
};

}  // namespace plumbline::daemon
