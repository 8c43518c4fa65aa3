// The ordered list of changes that turns what is into what should be.
//
// This layer is pure: it reads no clock, opens no socket and logs nothing. Every ordering decision
// is made here, and so is every decision about whose an object is.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plumbline/base/diagnostics.hpp"
#include "plumbline/plan/memory.hpp"
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

struct PlanOptions {
  Mark mark;
  bool take_foreign = false;  ///< links may be removed along with what foreigners put on them
  bool allow_empty = false;   ///< everything of ours may be removed
  /// Names that rules jump to and that are those of chains, though none may be there.
  std::set<Chain::Key> chains = {};
};

/// The digest that Memory::applied holds for a value.
[[nodiscard]] std::uint64_t digest(const Resource& wanted);

/// Notes in Memory::applied that `wanted` was applied.
void note_applied(std::map<std::string, std::uint64_t>& applied, const Resource& wanted);

/// Plans the way from `have`, everything observed and everybody's, to `want`.
///
/// Guarantees: make_plan(s, s) has no step; predict(have, plan) holds `want` less what is blocked;
/// no step stands before one it needs; equal inputs in any order give equal plans; no step touches
/// what is not ours, but for what `take_foreign` allows.
[[nodiscard]] Plan make_plan(const State& have, const State& want, const Memory& memory,
                             const std::map<Key, Origin>& origins, const PlanOptions& options);

}  // namespace plumbline
