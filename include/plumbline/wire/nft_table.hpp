// Asking nf_tables whether it has a table, whatever is in it.

#pragma once

#include <string_view>

#include "plumbline/base/family.hpp"
#include "plumbline/wire/netlink.hpp"

namespace plumbline::wire {

/// The message of a NetfilterQuery: the answer is ENOENT when there is no such table.
[[nodiscard]] Bytes table_query(Family family, std::string_view table);

}  // namespace plumbline::wire
