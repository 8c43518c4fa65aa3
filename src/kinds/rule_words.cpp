#include "rule_words.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "spec_words.hpp"

namespace plumbline::detail {

namespace {

constexpr std::array<std::pair<std::string_view, std::uint8_t>, 11> ip_protocols{{
    {"icmp", 1},
    {"igmp", 2},
    {"tcp", 6},
    {"udp", 17},
    {"dccp", 33},
    {"gre", 47},
    {"esp", 50},
    {"ah", 51},
    {"icmpv6", 58},
    {"sctp", 132},
    {"udplite", 136},
}};

}  // namespace

std::string format_fwmark(const Rule& rule) {
  std::string text = hex(rule.fwmark.value_or(0));
  const std::uint32_t mask = rule.fwmask.value_or(UINT32_MAX);
  if (mask != UINT32_MAX) text += '/' + hex(mask);
  return text;
}

std::string format_ip_protocol(std::uint8_t protocol) {
  const auto* const found = std::ranges::find_if(
      ip_protocols, [&](const auto& known) { return known.second == protocol; });
  return found == ip_protocols.end() ? std::to_string(protocol) : std::string(found->first);
}

std::optional<std::uint8_t> parse_ip_protocol(std::string_view text) {
  if (text == "ipv6-icmp") return parse_ip_protocol("icmpv6");
  const auto* const found =
      std::ranges::find_if(ip_protocols, [&](const auto& known) { return known.first == text; });
  if (found == ip_protocols.end()) return std::nullopt;
  return found->second;
}

}  // namespace plumbline::detail
