// Making somebody else's objects ours, as they are, so that a spec can take them over.
//
// The one place where something foreign is changed, and only because a person named it. Nothing of
// an object is changed but whose it is; what a spec wants of it is for make_plan(). Links,
// addresses, routes and policy rules can be adopted; chains cannot, as ours stand beside theirs.

#pragma once

#include <string>
#include <vector>

#include "plumbline/plan/plan.hpp"

namespace plumbline::plan {

struct Adoption {
  /// Updates from somebody's object to ours. Its refusals name what cannot be adopted, and why.
  Plan plan;
  std::vector<Diagnostic> errors;  ///< keys of nothing that is there

  [[nodiscard]] bool possible() const { return errors.empty() && plan.refusals.empty(); }
};

/// `keys` are as plans show them. What is ours already is no step. A rule's step has another key
/// before than after, as the mark is part of it: ours is added first, then the other is removed.
[[nodiscard]] Adoption make_adoption(const State& have, const std::vector<std::string>& keys,
                                     const Mark& mark);

/// What an adoption did not do, although the kernel said yes: the steps' keys, as they are shown.
/// Before Linux 6.4 it answers a REPLACE of an IPv4 address and leaves IFA_PROTO as it was.
[[nodiscard]] std::vector<std::size_t> not_adopted(const State& now, const Plan& plan);

/// The other way to mark the IPv4 addresses of `steps`, positions in `plan`: each is removed and
/// added again, while a second address and a route of ours hold its place, so that neither the
/// host's own address, nor its network, nor a route that depends on them is ever missing. Refused
/// where the kernel would take other addresses along. The cause of each step is the key of the one
/// that it is for.
[[nodiscard]] Plan make_readdressing(const State& now, const Plan& plan,
                                     const std::vector<std::size_t>& steps);

}  // namespace plumbline::plan
