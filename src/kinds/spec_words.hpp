// Words that several kinds have in common in a spec: names of links, tables, families, prefixes.

#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "plumbline/base/if_name.hpp"
#include "plumbline/base/ip.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::detail {

/// A number or a name of rt_tables; `code` for a name that is none.
[[nodiscard]] std::optional<TableId> table_word(const wire::Entry& entry, Code code);
/// `"inet"` or `"inet6"`.
[[nodiscard]] std::optional<Family> family_word(const wire::Entry& entry, Code code);
/// A name that a spec may give a link; INVALID_INTERFACE_NAME at `entry`.
[[nodiscard]] std::optional<IfName> link_name(const wire::Entry& entry, std::string_view text);
/// The name of a link that need not be in the spec.
[[nodiscard]] std::optional<IfName> link_word(const wire::Entry& entry);
/// An address or a prefix without host bits.
[[nodiscard]] std::optional<Prefix> prefix_word(const wire::Entry& entry, Code code);
/// A number, or text such as `"0x10"`. Both fields of the ECN must be zero, which the kernel
/// insists on (include/net/inet_dscp.h, inet_validate_dscp()).
[[nodiscard]] std::optional<std::uint8_t> tos_word(const wire::Entry& entry, Code code);

/// Reads a member into `into`; false when it is there and wrong.
template <class T, class Read>
[[nodiscard]] bool read_word(const wire::Entry& entry, std::string_view name, T& into, Read read) {
  const auto member = entry.find(name);
  if (!member) return true;
  const auto value = read(*member);
  if (value) into = *value;
  return value.has_value();
}

/// `"main"`, `"default"`, `"local"`, or the number.
[[nodiscard]] boost::json::value table_value(TableId table);

/// `0x` and the number in hex, without leading zeros.
[[nodiscard]] std::string hex(std::uint32_t number);

}  // namespace plumbline::detail
