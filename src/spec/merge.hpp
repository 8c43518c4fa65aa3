// Many documents made one: objects key by key, a few arrays joined, everything else given once.
//
// Knows which arrays are joined and nothing else of what the keys mean. Private to this layer.

#pragma once

#include <vector>

#include "plumbline/base/diagnostics.hpp"
#include "plumbline/wire/document.hpp"

namespace plumbline::spec {

/// `trees` are objects, at least one, in the order of their files. CONFLICTING_FILES at each later
/// place of what may be given once; the first one stays.
[[nodiscard]] wire::Node merge(std::vector<wire::Node> trees, Diagnostics& diagnostics);

}  // namespace plumbline::spec
