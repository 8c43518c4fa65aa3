// What is at stake in a fight over an object: whether it may be left as its rival made it.
//
// A guard may not. It denies, or is what brings packets before something that does, so it is given
// back each time, soon. Pure; does not know who fights.

#pragma once

#include <compare>
#include <cstdint>

#include "plumbline/state/step.hpp"

namespace plumbline::daemon {

enum class Stake : std::uint8_t { ordinary, guard };

/// An object as a rival contests it: the order of rules in a shared chain is another matter than
/// whether they are there.
struct Contested {
  Key key;
  Stake stake = Stake::ordinary;

  auto operator<=>(const Contested&) const = default;
};

/// Of a repair. Guards are rules and chains, but for where ours stand among those of others;
/// sysctls; policy rules; default routes that refuse; bridges, their ports, and TAPs.
[[nodiscard]] Stake stake_of(const Step& repair);
[[nodiscard]] Contested contested_by(const Step& repair);

}  // namespace plumbline::daemon
