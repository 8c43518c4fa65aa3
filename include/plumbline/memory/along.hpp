// What the kernel changes along with what a plan writes: what is asked about it, and how it is
// written back.

#pragma once

#include <string>
#include <vector>

#include "plumbline/memory/memory.hpp"

namespace plumbline::memory {

/// What the kernel changes along with one setting that a step writes.
struct AlongQuery {
  std::string driver;
  std::vector<wire::Request> reads;
};
[[nodiscard]] std::vector<AlongQuery> queries_along(const Plan& plan, const State& have);
/// Adds what was answered, one reply for each read; no value of a link that is gone by now.
void take_along(const AlongQuery& query, const std::vector<wire::Reply>& replies,
                const LinkNames& links, SettingsAlong& along);

/// Writes back what was changed along with it.
[[nodiscard]] std::vector<wire::Request> writes_back(const Resource& driver,
                                                     const SettingsAlong& along);

/// Whether what a step changes has to be remembered: it carries no mark.
[[nodiscard]] bool changes_what_has_no_mark(const Step& step);

}  // namespace plumbline::memory
