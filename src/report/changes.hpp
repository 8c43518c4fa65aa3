// What of a value changes, as the spec would write it.

#pragma once

#include <string>
#include <vector>

#include "plumbline/state/step.hpp"

namespace plumbline::report {

/// One thing said about a changed object: `mtu 1500 -> 1400`, `up true`.
struct Mention {
  std::string what;  ///< the member's name, with dots between where one is in another
  std::string from;  ///< empty: was not there
  std::string to;    ///< empty: is not there
};

/// Member by member; `kind` first for what is made.
[[nodiscard]] std::vector<Mention> changes(const std::optional<Resource>& before,
                                           const std::optional<Resource>& after);

/// What tells whose an object is, which no spec says: `protocol 3 -> 112`. A link's alias is told
/// by that alone, so it is none.
[[nodiscard]] std::vector<Mention> mark_changes(const std::optional<Resource>& before,
                                                const std::optional<Resource>& after);

/// The rules of a chain that go (`-`) and come (`+`), where they stand; empty for other kinds.
[[nodiscard]] std::vector<std::string> rule_changes(const std::optional<Resource>& before,
                                                    const std::optional<Resource>& after);

}  // namespace plumbline::report
