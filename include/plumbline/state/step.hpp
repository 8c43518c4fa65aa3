// Steps from one state to another, and plans of them, as values.
//
// plan/plan.hpp makes plans and engine carries them out; whoever only reads one needs no more than
// this.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/base/diagnostics.hpp"
#include "plumbline/state/state.hpp"

namespace plumbline {

enum class Action : std::uint8_t { create, update, remove };

enum class Why : std::uint8_t {
  added,     ///< "new": nothing of that key is there, and none was applied before
  changed,   ///< the spec is another than the one last applied
  drifted,   ///< the spec is the one last applied; somebody changed the kernel
  unwanted,  ///< ours, and no longer in the spec
  cascade,   ///< lost, or taken down, because of another step
  adopted,   ///< somebody else's, and to be ours: plan/adoption.hpp
};

[[nodiscard]] std::string_view format(Why why);

/// When a firewall step is due. All of one phase and table are one commit.
enum class Phase : std::uint8_t {
  guard,    ///< before traffic can flow
  main,     ///< everything that is no firewall
  release,  ///< after traffic has stopped
};

/// One change to one object. A replacement is a remove and a create of the same key that share
/// their `id`; what depends on the object is taken down before and put back after.
struct Step {
  std::size_t id = 0;
  Key key;
  Action action = Action::create;
  std::optional<Resource> before;  ///< of update and remove
  std::optional<Resource> after;   ///< of create and update
  Why why = Why::added;
  std::optional<Key> cause;  ///< of a cascade
  Disruption disrupts = Disruption::nothing;
  Phase phase = Phase::main;
  std::vector<std::size_t> needs;  ///< positions of the steps that must have succeeded before
  Origin origin;
  /// The networks of the spec that the object is for; make_plan() knows of none.
  std::vector<std::string> networks = {};

  bool operator==(const Step&) const = default;
};

/// A wanted object that cannot be reached now. It never holds up the others.
struct Blocked {
  Key key;
  std::vector<std::string> waits_for;
  Origin origin;

  bool operator==(const Blocked&) const = default;
};

struct Plan {
  std::vector<Step> steps;  ///< in the order of execution; ties broken by key, never by chance
  std::vector<Blocked> blocked;
  std::vector<Diagnostic> warnings;
  /// Not empty: nothing may be applied (exit 4). Each names the object in the way.
  std::vector<Diagnostic> refusals;

  [[nodiscard]] bool empty() const { return steps.empty(); }
  bool operator==(const Plan&) const = default;
};

}  // namespace plumbline
