// What the kernel changes along with what a plan writes.
//
// Private to engine; memory/memory.hpp says what is remembered of it.

#pragma once

#include "plumbline/engine/pass.hpp"

namespace plumbline::engine {

/// For each sysctl that the plan writes, those that the kernel changes along with it, as they are
/// now. Throws io::HostError.
[[nodiscard]] memory::SettingsAlong read_along(const Context& context, const Prepared& prepared);

}  // namespace plumbline::engine
