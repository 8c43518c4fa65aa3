// The expressions of an nf_tables rule, one after the other, and the parts of them that are not the
// rule's own: counts, and the numbers of ipsets.
//
// Every read is bounds-checked and throws Malformed; an expression that is not known here is none
// of our business and is passed over.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "plumbline/wire/netlink.hpp"

namespace plumbline::firewall {

using ByteSpan = std::span<const std::byte>;

/// nf_tables sends numbers in network byte order.
[[nodiscard]] std::uint32_t big_endian_32(const wire::Attribute& attribute);
[[nodiscard]] std::uint64_t big_endian_64(const wire::Attribute& attribute);

/// The attribute of that type, the last where there are more, as nla_parse() has it.
[[nodiscard]] std::optional<wire::Attribute> find_attribute(ByteSpan attributes,
                                                            std::uint16_t type);
/// 0 where there is none.
[[nodiscard]] std::uint32_t number_in(ByteSpan attributes, std::uint16_t type);
/// Empty where there is none.
[[nodiscard]] ByteSpan payload_in(ByteSpan attributes, std::uint16_t type);

/// One expression; refers to the bytes it was found in.
struct Expression {
  std::string_view name;
  ByteSpan attributes;
};
/// `expressions` is the payload of NFTA_RULE_EXPRESSIONS.
void for_each_expression(ByteSpan expressions, const std::function<void(const Expression&)>& visit);

/// An extension of x_tables within nf_tables (net/netfilter/nft_compat.c). `match` and `target`
/// have equal attributes.
struct Extension {
  std::string_view name;
  std::uint32_t revision = 0;
  ByteSpan payload;  ///< the extension's structure
};
[[nodiscard]] Extension extension_in(const Expression& expression);

enum class Variable : std::uint8_t {
  count,   ///< all the bytes count something
  spent,   ///< a word of flags, of which one says that a quota is used up
  ip_set,  ///< an ip_set_id_t in host order that is not "none"
};
using VisitVariable = std::function<void(Variable, ByteSpan place)>;

/// The places that differ between rules that are the same.
void for_each_variable(ByteSpan expressions, const VisitVariable& visit);

}  // namespace plumbline::firewall
