// One object's way from what is to what should be, before it has a place in the order.

#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plumbline/plan/plan.hpp"

namespace plumbline::plan {

/// From `have` to `want` in one step, or in two by way of `middle`: nothing for a replacement, a
/// port without its bridge for a bridge that is replaced, a chain with all that holds traffic back
/// before the change or after it.
struct Draft {
  std::optional<Resource> have = {};
  std::optional<Resource> middle = {};
  std::optional<Resource> want = {};
  /// What the spec says, where it says something: its needs are this object's.
  std::optional<Resource> asked = {};
  bool split = false;  ///< what needs the object is taken down before and put back after
  /// Of a chain: only takes away what holds traffic back.
  bool lets_go = false;
  bool forced = false;  ///< taken down by another change, whether or not it can be put back
  Why why = Why::added;
  std::optional<Key> cause = {};
  Disruption disrupts = Disruption::nothing;
  /// Not empty: `want` cannot be reached now.
  std::vector<std::string> waits_for = {};

  /// A chain in two commits; it is there all the time.
  [[nodiscard]] bool gradual() const { return middle && !split; }
  [[nodiscard]] bool blocked() const { return !waits_for.empty(); }
  /// What is left in the end: nothing to do where a change that was not forced is blocked.
  [[nodiscard]] const std::optional<Resource>& outcome() const {
    static const std::optional<Resource> nothing;
    if (!blocked()) return want;
    return forced ? (split ? middle : nothing) : have;
  }
  /// Takes the object down before something and puts it back after.
  void replace() {
    split = true;
    forced = true;
    if (asked) want = asked;
  }
};

using Drafts = std::map<Key, Draft>;

/// The step of a draft that takes away, or the one that gives; the same where there is one only.
enum class Side : std::uint8_t { down, up };

struct End {
  Key key;
  Side side = Side::down;

  auto operator<=>(const End&) const = default;
};

/// `first` is carried out before `second`.
struct Constraint {
  End first;
  End second;

  auto operator<=>(const Constraint&) const = default;
};

using Constraints = std::set<Constraint>;

}  // namespace plumbline::plan
