// Asking nf_tables whether it has a table, and which, and which tables sleep; not what is in them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plumbline/base/family.hpp"
#include "plumbline/wire/netlink.hpp"

namespace plumbline::firewall {

/// The message of a NetfilterQuery: the answer is ENOENT when there is no such table.
[[nodiscard]] wire::Bytes table_query(Family family, std::string_view table);
/// What tells the table that answers from a later one of its name; 0 where the kernel says none.
[[nodiscard]] std::uint64_t read_table_handle(const wire::Bytes& answer);
/// How many chains, sets and other objects are in the table that answers.
[[nodiscard]] std::optional<std::uint32_t> read_table_uses(const wire::Bytes& answer);

[[nodiscard]] wire::Bytes tables_query();  ///< of all families

struct DumpedTable {
  Family family = Family::inet;
  std::string name;
  bool dormant = false;  ///< none of its chains meets a packet
};
/// Of our families. Throws Malformed.
[[nodiscard]] std::vector<DumpedTable> read_tables(const wire::Bytes& answer);

[[nodiscard]] wire::Bytes maps_query();  ///< of all families, sets too
/// The tables that hold maps whose values are verdicts, which may be jumps to chains. Throws
/// Malformed.
[[nodiscard]] std::vector<std::pair<Family, std::string>> read_maps_to_chains(
    const wire::Bytes& answer);

}  // namespace plumbline::firewall
