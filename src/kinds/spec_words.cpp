#include "spec_words.hpp"

#include <array>
#include <boost/json/value.hpp>
#include <charconv>

#include "plumbline/base/number.hpp"

namespace plumbline::detail {

std::optional<TableId> table_word(const wire::Entry& entry, Code code) {
  if (entry.node().get<std::string>() == nullptr) {
    const auto number = entry.integer(1, UINT32_MAX);
    if (!number) return std::nullopt;
    return TableId{static_cast<std::uint32_t>(*number)};
  }
  const auto name = entry.string();
  if (!name) return std::nullopt;
  const auto table = entry.tables().find(*name);
  if (!table) {
    entry.error(code, parse_number<std::uint32_t>(*name)
                          ? "a table's number is written without quotes"
                          : "no routing table is named '" + *name + "' in rt_tables");
  }
  return table;
}

std::optional<Family> family_word(const wire::Entry& entry, Code code) {
  const auto text = entry.string();
  if (!text) return std::nullopt;
  const auto family = parse_family(*text);
  if (family == Family::inet || family == Family::inet6) return family;
  entry.error(code, "expected \"inet\" or \"inet6\", not '" + *text + "'");
  return std::nullopt;
}

std::optional<IfName> link_name(const wire::Entry& entry, std::string_view text) {
  const auto name = IfName::parse(text);
  if (name && may_be_configured(*name)) return name;
  entry.error(Code::invalid_interface_name,
              "'" + std::string(text) + "' cannot be the name of an interface");
  return std::nullopt;
}

std::optional<IfName> link_word(const wire::Entry& entry) {
  const auto text = entry.string();
  return text ? link_name(entry, *text) : std::nullopt;
}

std::optional<Prefix> prefix_word(const wire::Entry& entry, Code code) {
  const auto text = entry.string();
  if (!text) return std::nullopt;
  if (const auto prefix = Prefix::parse(*text)) return prefix;
  if (const auto inside = InterfaceAddress::parse(*text)) {
    entry.error(code,
                "'" + *text + "' has host bits set: the network is " + format(inside->network()));
  } else {
    entry.error(code, "expected an IP address or prefix, not '" + *text + "'");
  }
  return std::nullopt;
}

std::optional<std::uint8_t> tos_word(const wire::Entry& entry, Code code) {
  std::optional<std::uint8_t> tos;
  if (entry.node().get<std::string>() != nullptr) {
    const auto text = entry.string();
    if (!text) return std::nullopt;
    tos = parse_number<std::uint8_t>(*text);
    if (!tos) entry.error(code, "expected a number from 0 to 0xfc, not '" + *text + "'");
  } else if (const auto number = entry.integer(0, 255)) {
    tos = static_cast<std::uint8_t>(*number);
  }
  if (tos && (*tos & 3U) != 0) {
    entry.error(code, "the two low bits of a TOS are the ECN's and must be zero");
    return std::nullopt;
  }
  return tos;
}

boost::json::value table_value(TableId table) {
  const std::string text = format(table);
  if (text == std::to_string(table.number)) return table.number;
  return boost::json::string(text);
}

std::string hex(std::uint32_t number) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

}  // namespace plumbline::detail
