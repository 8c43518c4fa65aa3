// How many bytes more may be remembered once a plan was carried out: what cannot be told before.

#pragma once

#include <cstddef>

#include "plumbline/memory/memory.hpp"

namespace plumbline::memory {

/// What note_objects() and note_followed() may add.
[[nodiscard]] std::size_t bytes_of_objects(const State& want, const Memory& memory);
/// A value that is there only once the plan is on its way.
[[nodiscard]] std::size_t bytes_of_value(const Step& step);
/// That what the step puts back was refused.
[[nodiscard]] std::size_t bytes_of_refusal(const Step& step);

}  // namespace plumbline::memory
