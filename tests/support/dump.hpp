// Everything a network namespace holds, as text by programs that are not ours, for comparing before
// with after.
//
// What may differ though nothing was changed is masked, each for a reason given in dump.cpp; all
// else must be byte for byte the same.

#pragma once

#include <string>
#include <vector>

namespace plumbline::test {

/// Links, addresses, routes, rules, qdiscs, firewall tables and the sysctls given, of the calling
/// thread's namespace.
[[nodiscard]] std::string dump_namespace(const std::vector<std::string>& sysctls = {});

/// What is in one and not in the other, line by line; empty when equal.
[[nodiscard]] std::string difference(const std::string& before, const std::string& after);

}  // namespace plumbline::test
