// The pass of `plumbline adopt`: observe, plan the marking, carry it out, look again.
//
// Reads no spec, compiles nothing and leaves the ledger as it is: what is adopted has not been
// applied yet.

#pragma once

#include <string>
#include <vector>

#include "plumbline/engine/pass.hpp"

namespace plumbline::engine {

/// Changes nothing. Its errors are keys of nothing that is there, the plan's refusals what cannot
/// be adopted. Throws io::HostError, wire::Malformed.
[[nodiscard]] Prepared prepare_adoption(const Context& context,
                                        const std::vector<std::string>& keys);

/// Carries the plan out under the caller's Lock, all of it or nothing.
[[nodiscard]] Outcome adopt(const Context& context, const Prepared& prepared);

}  // namespace plumbline::engine
