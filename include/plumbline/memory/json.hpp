// What is remembered of what cannot carry our mark, in the ledger and out of it.
//
// Reads what older versions wrote as well.

#pragma once

#include <boost/json/fwd.hpp>

#include "plumbline/memory/memory.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::memory {

[[nodiscard]] boost::json::object memory_to_json(const Memory& memory);
/// `root` is the whole of the ledger.
[[nodiscard]] Memory memory_from_json(const wire::Entry& root);

}  // namespace plumbline::memory
