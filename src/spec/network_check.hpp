// What no entry of `networks` shows alone: subnets that overlap, values and names given twice,
// more guests than a subnet or a bridge holds.

#pragma once

#include "plumbline/spec/load.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::spec {

/// `root` is the document that `spec` was decoded from; faults go to its diagnostics.
void check_networks(const wire::Entry& root, const Spec& spec);

}  // namespace plumbline::spec
