#include <algorithm>

#include "plumbline/base/if_name.hpp"
#include "plumbline/base/link_names.hpp"
#include "plumbline/base/mac.hpp"
#include "plumbline/base/number.hpp"
#include "plumbline/base/table.hpp"

namespace plumbline {

std::optional<IfName> IfName::parse(std::string_view text) {
  IfName name;
  if (text.empty() || text.size() >= name.bytes_.size() || text == "." || text == "..") {
    return std::nullopt;
  }
  // isspace() of the kernel (lib/ctype.c) also counts 0xa0 as white space.
  constexpr std::string_view refused("/: \t\n\v\f\r\xa0\0", 10);
  if (text.find_first_of(refused) != std::string_view::npos) return std::nullopt;
  std::ranges::copy(text, name.bytes_.begin());
  name.size_ = static_cast<std::uint8_t>(text.size());
  return name;
}

bool may_be_configured(const IfName& name) {
  return name.view() != "all" && name.view() != "default" &&
         std::ranges::all_of(name.view(), [](char c) { return c > ' ' && c < 127 && c != '%'; });
}

void LinkNames::add(std::uint32_t index, const IfName& name) {
  if (auto old = names_.find(index); old != names_.end()) indexes_.erase(old->second);
  if (auto old = indexes_.find(name); old != indexes_.end()) names_.erase(old->second);
  names_.insert_or_assign(index, name);
  indexes_.insert_or_assign(name, index);
}

void LinkNames::remove(const IfName& name) {
  if (auto it = indexes_.find(name); it != indexes_.end()) {
    names_.erase(it->second);
    indexes_.erase(it);
  }
}

std::optional<IfName> LinkNames::name(std::uint32_t index) const {
  auto it = names_.find(index);
  if (it == names_.end()) return std::nullopt;
  return it->second;
}

std::uint32_t LinkNames::index(const IfName& name) const {
  auto it = indexes_.find(name);
  return it == indexes_.end() ? 0 : it->second;
}

std::optional<Mac> Mac::parse(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  Mac mac;
  for (std::size_t i = 0; i < 6; ++i) {
    if (i > 0 && text[i * 3 - 1] != ':') return std::nullopt;
    const std::string_view pair = text.substr(i * 3, 2);
    unsigned char byte = 0;
    auto [end, error] = std::from_chars(pair.data(), pair.data() + 2, byte, 16);
    if (error != std::errc{} || end != pair.data() + 2) return std::nullopt;
    mac.bytes_[i] = std::byte{byte};
  }
  return mac;
}

std::optional<Mac> Mac::from_bytes(std::span<const std::byte> bytes) {
  Mac mac;
  if (bytes.size() != mac.bytes_.size()) return std::nullopt;
  std::ranges::copy(bytes, mac.bytes_.begin());
  return mac;
}

std::string format(const Mac& mac) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::byte byte : mac.bytes()) {
    if (!text.empty()) text += ':';
    text += digits[std::to_integer<unsigned>(byte) >> 4U];
    text += digits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

std::string format(TableId table) {
  if (table == main_table) return "main";
  if (table == default_table) return "default";
  if (table == local_table) return "local";
  return std::to_string(table.number);
}

TableNames::TableNames()
    : names_{{"main", main_table}, {"default", default_table}, {"local", local_table}} {}

void TableNames::add(std::string_view rt_tables) {
  constexpr std::string_view blank = " \t\r";
  while (!rt_tables.empty()) {
    const auto end = std::min(rt_tables.find('\n'), rt_tables.size());
    std::string_view line = rt_tables.substr(0, end);
    rt_tables.remove_prefix(std::min(end + 1, rt_tables.size()));
    line = line.substr(0, line.find('#'));
    line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
    const auto gap = std::min(line.find_first_of(blank), line.size());
    auto number = parse_number<std::uint32_t>(line.substr(0, gap));
    line.remove_prefix(gap);
    line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
    const std::string_view name = line.substr(0, line.find_first_of(blank));
    if (number && *number != 0 && !name.empty()) names_.emplace(name, TableId{*number});
  }
}

std::optional<TableId> TableNames::find(std::string_view name) const {
  auto it = names_.find(name);
  if (it == names_.end()) return std::nullopt;
  return it->second;
}

}  // namespace plumbline
