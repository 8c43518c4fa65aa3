#include "src/daemon/pacer.hpp"

#include <gtest/gtest.h>

namespace plumbline::daemon {
namespace {

using namespace std::chrono_literals;

/// Some moment: the tests count from here.
const TimePoint begin = TimePoint() + 1000h;

/// A pacer whose first pass went well and took no time.
Pacer settled_pacer() {
  Pacer pacer(Pace(), begin);
  pacer.pass_starts(begin);
  pacer.pass_ends(Ending::settled, begin, 0);
  return pacer;
}

Duration until_next(const Pacer& pacer, TimePoint now) { return pacer.wake_at() - now; }

TEST(Pacer, RunsTheFirstPassAtOnce) { EXPECT_EQ(Pacer(Pace(), begin).wake_at(), begin); }

TEST(Pacer, RunsAgainAfterTheIntervalWhenNothingHappens) {
  EXPECT_EQ(until_next(settled_pacer(), begin), 60s);
}

TEST(Pacer, JitterMovesTheIntervalByUpToATenth) {
  for (const auto& [jitter, expected] : {std::pair(-1.0, 54s), {0.5, 63s}, {1.0, 66s}}) {
    Pacer pacer(Pace(), begin);
    pacer.pass_starts(begin);
    pacer.pass_ends(Ending::settled, begin, jitter);
    EXPECT_EQ(until_next(pacer, begin), expected) << jitter;
  }
}

TEST(Pacer, WaitsForQuietAfterAHint) {
  Pacer pacer = settled_pacer();
  pacer.hint(Hint::kernel, begin + 10s);
  EXPECT_EQ(pacer.wake_at(), begin + 10s + 50ms);
  pacer.hint(Hint::spec, begin + 10s + 40ms);
  EXPECT_EQ(pacer.wake_at(), begin + 10s + 90ms);
}

TEST(Pacer, DoesNotWaitForQuietForEver) {
  Pacer pacer = settled_pacer();
  for (auto at = 0ms; at < 2s; at += 20ms) pacer.hint(Hint::kernel, begin + 10s + at);
  EXPECT_EQ(pacer.wake_at(), begin + 10s + 400ms);
}

TEST(Pacer, APassAnswersTheHintsBeforeIt) {
  Pacer pacer = settled_pacer();
  pacer.hint(Hint::kernel, begin + 1s);
  pacer.pass_starts(begin + 2s);
  pacer.pass_ends(Ending::settled, begin + 2s, 0);
  EXPECT_EQ(until_next(pacer, begin + 2s), 60s);
}

TEST(Pacer, LooksOnceMoreWhenAPassItselfCausedEvents) {
  Pacer pacer = settled_pacer();
  pacer.hint(Hint::spec, begin + 1s);
  pacer.pass_starts(begin + 2s);
  pacer.pass_ends(Ending::settled, begin + 2s, 0);
  pacer.hint(Hint::kernel, begin + 2s);  // what the pass did, read from the socket behind it
  EXPECT_EQ(pacer.wake_at(), begin + 2s + 50ms);
  pacer.pass_starts(begin + 2s + 50ms);
  pacer.pass_ends(Ending::settled, begin + 2s + 50ms, 0);
  EXPECT_EQ(until_next(pacer, begin + 2s + 50ms), 60s);
}

TEST(Pacer, RestsAsLongAsAPassTookWhenHintsNeverEnd) {
  Pacer pacer = settled_pacer();
  pacer.hint(Hint::kernel, begin);
  pacer.pass_starts(begin + 1s);
  pacer.pass_ends(Ending::settled, begin + 1s + 200ms, 0);
  pacer.hint(Hint::kernel, begin + 1s + 200ms);
  EXPECT_EQ(pacer.wake_at(), begin + 1s + 400ms);
}

TEST(Pacer, ALongPassIsNotFollowedByALongRest) {
  Pacer pacer = settled_pacer();
  pacer.hint(Hint::kernel, begin);
  pacer.pass_starts(begin);
  pacer.pass_ends(Ending::settled, begin + 30s, 0);
  pacer.hint(Hint::kernel, begin + 30s);
  EXPECT_EQ(pacer.wake_at(), begin + 30s + 400ms);
}

/// The waits between passes that all fail, in seconds.
std::vector<long> waits_of_failing_passes(Pacer pacer, int passes) {
  std::vector<long> waits;
  for (int i = 0; i < passes; ++i) {
    const TimePoint now = pacer.wake_at();
    pacer.pass_starts(now);
    pacer.pass_ends(Ending::failed, now, 0);
    waits.push_back(
        std::chrono::duration_cast<std::chrono::seconds>(pacer.wake_at() - now).count());
  }
  return waits;
}

TEST(Pacer, BacksOffWhilePassesFail) {
  EXPECT_EQ(waits_of_failing_passes(settled_pacer(), 9),
            (std::vector<long>{1, 2, 4, 8, 16, 32, 60, 60, 60}));
}

TEST(Pacer, KernelEventsDoNotShortenTheBackoff) {
  Pacer pacer = settled_pacer();
  pacer.pass_starts(begin);
  pacer.pass_ends(Ending::failed, begin, 0);
  pacer.hint(Hint::kernel, begin + 1ms);  // such as the undoing of what had been done
  EXPECT_EQ(pacer.wake_at(), begin + 1s);
}

TEST(Pacer, KernelEventsLeadToALookAtGuardsOnceASecondDuringTheBackoff) {
  Pacer pacer(Pace(), begin);
  pacer.hint(Hint::kernel, begin);
  EXPECT_EQ(pacer.guards_at(), TimePoint::max()) << "passes look at everything";
  TimePoint now = begin;
  for (int i = 0; i < 6; ++i) {
    pacer.pass_starts(now);
    pacer.pass_ends(Ending::failed, now, 0);
    now = pacer.wake_at();
  }
  pacer.pass_starts(now);
  pacer.pass_ends(Ending::failed, now, 0);
  EXPECT_EQ(pacer.guards_at(), TimePoint::max()) << "nothing happened";
  pacer.hint(Hint::kernel, now + 2s);
  EXPECT_EQ(pacer.guards_at(), now + 2s + 50ms);
  pacer.guards_were_looked_at(now + 2s + 60ms);
  EXPECT_EQ(pacer.guards_at(), TimePoint::max());
  pacer.hint(Hint::kernel, now + 2s + 100ms);
  EXPECT_EQ(pacer.guards_at(), now + 3s + 60ms);
  EXPECT_GT(pacer.wake_at(), now + 30s) << "the failed pass is not tried sooner";
}

TEST(Pacer, AChangedSpecEndsTheBackoff) {
  Pacer pacer = settled_pacer();
  for (int i = 0; i < 5; ++i) pacer.pass_ends(Ending::failed, begin, 0);
  pacer.hint(Hint::spec, begin + 1s);
  EXPECT_EQ(pacer.wake_at(), begin + 1s + 50ms);
  EXPECT_EQ(waits_of_failing_passes(pacer, 1), std::vector<long>{1});
}

TEST(Pacer, SuccessEndsTheBackoff) {
  Pacer pacer = settled_pacer();
  for (int i = 0; i < 5; ++i) pacer.pass_ends(Ending::failed, begin, 0);
  const TimePoint now = pacer.wake_at();
  pacer.pass_starts(now);
  pacer.pass_ends(Ending::settled, now, 0);
  EXPECT_EQ(until_next(pacer, now), 60s);
  EXPECT_EQ(waits_of_failing_passes(pacer, 1), std::vector<long>{1});
}

TEST(Pacer, RunsAtOnceWhenAsked) {
  Pacer pacer = settled_pacer();
  pacer.pass_ends(Ending::failed, begin, 0);
  pacer.hint(Hint::asked, begin + 100ms);
  EXPECT_EQ(pacer.wake_at(), begin + 100ms);
}

TEST(Pacer, TriesAgainShortlyWhenAnotherHoldsTheLock) {
  Pacer pacer = settled_pacer();
  for (int i = 0; i < 3; ++i) {
    const TimePoint now = begin + i * 1s;
    pacer.pass_starts(now);
    pacer.pass_ends(Ending::locked, now, 0);
    EXPECT_EQ(until_next(pacer, now), 250ms);
  }
}

TEST(Pacer, LooksNoLaterThanItIsTold) {
  Pacer pacer = settled_pacer();
  pacer.look_at(begin + 7s);
  EXPECT_EQ(until_next(pacer, begin), 7s);
  pacer.look_at(TimePoint::max());
  EXPECT_EQ(until_next(pacer, begin), 7s);
}

}  // namespace
}  // namespace plumbline::daemon
