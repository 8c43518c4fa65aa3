#include "compat.hpp"

#include <linux/if_ether.h>
#include <linux/netfilter/nf_tables.h>

#include <cstring>

#include "expressions.hpp"

namespace plumbline::firewall {

namespace {

/// add_l4proto() in iptables/nft-shared.c.
bool loads_protocol_of_ip(const Expression& expression) {
  return expression.name == "meta" &&
         number_in(expression.attributes, NFTA_META_KEY) == NFT_META_L4PROTO &&
         find_attribute(expression.attributes, NFTA_META_DREG).has_value();
}

/// nft_bridge_add() in iptables/nft-bridge.c, and `meta protocol` as later ones have it.
bool loads_protocol_of_frame(const Expression& expression) {
  const ByteSpan attributes = expression.attributes;
  if (expression.name == "meta") {
    return number_in(attributes, NFTA_META_KEY) == NFT_META_PROTOCOL &&
           find_attribute(attributes, NFTA_META_DREG).has_value();
  }
  return expression.name == "payload" &&
         number_in(attributes, NFTA_PAYLOAD_BASE) == NFT_PAYLOAD_LL_HEADER &&
         number_in(attributes, NFTA_PAYLOAD_OFFSET) == offsetof(ethhdr, h_proto) &&
         number_in(attributes, NFTA_PAYLOAD_LEN) == sizeof(ethhdr::h_proto);
}

/// What the comparison compares with, if it is of one value of that size.
std::optional<Compat> compared(const Expression& expression, std::size_t size) {
  if (expression.name != "cmp") return std::nullopt;
  const std::uint32_t operation = number_in(expression.attributes, NFTA_CMP_OP);
  if (operation != NFT_CMP_EQ && operation != NFT_CMP_NEQ) return std::nullopt;
  const ByteSpan value =
      payload_in(payload_in(expression.attributes, NFTA_CMP_DATA), NFTA_DATA_VALUE);
  if (value.size() != size) return std::nullopt;
  Compat compat;
  compat.inverted = operation == NFT_CMP_NEQ;
  if (size == 1) {
    compat.protocol = std::to_integer<std::uint32_t>(value[0]);
  } else {
    std::uint16_t protocol = 0;
    std::memcpy(&protocol, value.data(), sizeof protocol);
    compat.protocol = protocol;
  }
  return compat;
}

}  // namespace

std::optional<Compat> compat_of(Family family, std::span<const std::byte> expressions) {
  const bool is_bridge = family == Family::bridge;
  bool loaded = false;
  bool extended = false;
  std::optional<Compat> compat;
  const auto each = [&](const Expression& expression) {
    if (loaded && !compat) compat = compared(expression, is_bridge ? 2 : 1);
    loaded = is_bridge ? loads_protocol_of_frame(expression) : loads_protocol_of_ip(expression);
    extended = extended || expression.name == "match" || expression.name == "target";
  };
  for_each_expression(expressions, std::ref(each));
  if (!extended) return std::nullopt;
  return compat.value_or(Compat{});
}

}  // namespace plumbline::firewall
