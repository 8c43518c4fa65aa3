// The merged document made values of the kinds. Each kind decodes its own entries; here is which
// section holds which kind.
//
// What follows from several entries together is in check.hpp. Private to this layer.

#pragma once

#include "plumbline/spec/load.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::spec {

/// Faults go to the entry's diagnostics. The state is sorted.
/// `files` reads the key files that the spec names.
[[nodiscard]] Spec decode(const wire::Entry& root, FileReader& files);

}  // namespace plumbline::spec
