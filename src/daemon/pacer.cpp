#include "pacer.hpp"

#include <algorithm>

namespace plumbline::daemon {

void Pacer::hint(Hint hint, TimePoint now) {
  if (hint != Hint::kernel) {
    not_before_ = std::min(not_before_, now);
    retry_ = Duration::zero();
  }
  if (hint == Hint::asked) {
    timer_ = now;
    return;
  }
  if (!first_hint_) first_hint_ = now;
  last_hint_ = now;
  if (hint == Hint::kernel && retry_ != Duration::zero()) {
    guards_at_ = std::min(guards_at_, std::max(now + pace_.quiet, guards_not_before_));
  }
}

void Pacer::guards_were_looked_at(TimePoint now) {
  guards_at_ = TimePoint::max();
  guards_not_before_ = now + pace_.guards;
}

void Pacer::look_at(TimePoint when) { timer_ = std::min(timer_, when); }

void Pacer::pass_starts(TimePoint now) {
  guards_at_ = TimePoint::max();
  first_hint_.reset();
  started_ = now;
}

void Pacer::pass_ends(Ending ending, TimePoint now, double jitter) {
  const std::chrono::duration<double> spread = pace_.interval * (1 + jitter / 10);
  timer_ = now + std::chrono::duration_cast<Duration>(spread);
  if (ending == Ending::settled) {
    retry_ = Duration::zero();
    // A host that never keeps still costs at most half of one processor.
    not_before_ = now + std::min(now - started_, pace_.at_most);
    return;
  }
  if (ending == Ending::locked) {
    not_before_ = now + pace_.locked_retry;
  } else {
    retry_ =
        retry_ == Duration::zero() ? pace_.first_retry : std::min(2 * retry_, pace_.last_retry);
    not_before_ = now + retry_;
  }
  timer_ = not_before_;
}

TimePoint Pacer::wake_at() const {
  TimePoint due = timer_;
  if (first_hint_) {
    due = std::min({due, last_hint_ + pace_.quiet, *first_hint_ + pace_.at_most});
  }
  return std::max(due, not_before_);
}

}  // namespace plumbline::daemon
