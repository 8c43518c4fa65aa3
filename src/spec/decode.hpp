// The merged document made values of the kinds. Each kind decodes its own entries; here is which
// section holds which kind.
//
// What follows from several entries together is in check.hpp. Private to this layer.

#pragma once

#include "plumbline/spec/load.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::spec {

/// Faults go to the entry's diagnostics, which are `diagnostics`. The state is sorted. Files that
/// the spec names are read with `files`.
[[nodiscard]] Spec decode(const wire::Entry& root, FileReader& files, Diagnostics& diagnostics);

}  // namespace plumbline::spec
