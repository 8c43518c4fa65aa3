// How a frame finds the chain of the TAP it came by, among thousands.
//
// One rule per TAP in a shared chain is one comparison per TAP for every frame of every guest, the
// first one's too: it returns from its own chain and meets the rest. So where there are many, TAPs
// part by how their names start, over chains of a few rules each. Only decides the tree; the rules
// of a TAP are made elsewhere.

#pragma once

#include <string>
#include <vector>

#include "plumbline/base/if_name.hpp"

namespace plumbline::spec {

struct TapJump {
  std::string interface;     ///< a TAP's name, or how several start, with `+` at the end: for `-i`
  std::string chain;         ///< `PLUMB-` and the same
  std::vector<IfName> taps;  ///< that go this way

  bool operator==(const TapJump&) const = default;
};

struct TapFork {
  std::string chain;  ///< empty for the root
  std::vector<TapJump> jumps;

  bool operator==(const TapFork&) const = default;
};

/// The root first. Equal sets give equal trees.
[[nodiscard]] std::vector<TapFork> tap_dispatch(std::vector<IfName> taps);

}  // namespace plumbline::spec
