// Routing tables: their numbers and the names rt_tables(5) gives them.

#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace plumbline {

/// The number of a routing table, 1..4294967295 (0 is "unspecified" to the kernel).
struct TableId {
  std::uint32_t number = 254;

  auto operator<=>(const TableId&) const = default;
};

inline constexpr TableId main_table{254};
inline constexpr TableId default_table{253};
inline constexpr TableId local_table{255};

/// `main`, `default` and `local` by name, any other table by number: the same on every host,
/// whatever its rt_tables says.
[[nodiscard]] std::string format(TableId table);

/// What a host calls its tables. Knows the kernel's three; more come from the text of rt_tables.
class TableNames {
 public:
  TableNames();

  /// Adds what a file in the format of rt_tables says: `number name` lines, `#` comments. Lines
  /// that make no sense are skipped, as ip(8) does.
  void add(std::string_view rt_tables);
  [[nodiscard]] std::optional<TableId> find(std::string_view name) const;

 private:
  std::map<std::string, TableId, std::less<>> names_;
};

}  // namespace plumbline
