#include "ebtables_mark.hpp"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter_bridge/ebt_mark_m.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "plumbline/wire/iptables.hpp"

namespace plumbline {

namespace {

constexpr std::uint32_t mark_number = 0x706c6d62;  // "plmb"
const std::array<std::string, 3> mark_words{"--mark", "!", "0x706c6d62/0x0"};

auto find_mark(wire::Words& words) {
  return std::search(words.begin(), words.end(), mark_words.begin(), mark_words.end());
}

bool is_mark(std::span<const std::byte> match_info) {
  ebt_mark_m_info info{};
  if (match_info.size() < sizeof info) return false;
  std::memcpy(&info, match_info.data(), sizeof info);
  return info.mark == mark_number && info.mask == 0 && info.invert != 0 &&
         info.bitmask == EBT_MARK_AND;
}

std::optional<wire::Attribute> part_of(std::span<const std::byte> attributes, std::uint16_t type) {
  std::optional<wire::Attribute> found;
  wire::for_each_attribute(attributes, [&](const wire::Attribute& attribute) {
    if (attribute.type() == type) found = attribute;
  });
  return found;
}

}  // namespace

bool carries_ebtables_mark(std::string_view rule) {
  if (rule.find(mark_words.back()) == std::string_view::npos) return false;
  auto words = wire::split_words(rule);
  return words && find_mark(*words) != words->end();
}

bool carries_ebtables_mark(const wire::RuleCode& code) {
  bool found = false;
  wire::for_each_attribute(code.expressions, [&](const wire::Attribute& expression) {
    const auto name = part_of(expression.payload(), NFTA_EXPR_NAME);
    const auto data = part_of(expression.payload(), NFTA_EXPR_DATA);
    if (!name || !data || name->string() != "match") return;
    const auto match = part_of(data->payload(), NFTA_MATCH_NAME);
    const auto info = part_of(data->payload(), NFTA_MATCH_INFO);
    if (match && info && match->string() == EBT_MARK_MATCH && is_mark(info->payload()))
      found = true;
  });
  return found;
}

std::string with_ebtables_mark(const std::string& rule) {
  auto words = wire::split_words(rule);
  if (!words || find_mark(*words) != words->end()) return rule;
  // ebtables shows and saves two at most, and of two of a kind takes the last.
  const auto matches = wire::ebtables_matches(*words);
  if (matches.size() > 1 || std::ranges::find(matches, "mark") != matches.end()) return rule;
  const auto options = wire::options_of(*words, Family::bridge);
  const auto jump = std::ranges::find_if(options, [](const wire::RuleOption& option) {
    return option.name == "j" || option.name == "jump";
  });
  const std::size_t place = jump == options.end() ? words->size() : jump->word;
  // Watchers and matches may stand behind the target: theirs come first all the same.
  const bool last_is_jump = place + 2 >= words->size();
  words->insert(last_is_jump ? words->begin() + static_cast<std::ptrdiff_t>(place) : words->end(),
                mark_words.begin(), mark_words.end());
  return wire::join_words(*words);
}

std::string without_ebtables_mark(const std::string& rule) {
  auto words = wire::split_words(rule);
  if (!words) return rule;
  const auto found = find_mark(*words);
  if (found == words->end()) return rule;
  words->erase(found, found + static_cast<std::ptrdiff_t>(mark_words.size()));
  return wire::join_words(*words);
}

bool is_chain_policy(const wire::RuleCode& code) {
  // A row of type, length and value of a byte each (libnftnl's udata.h); the type is iptables' own
  // (UDATA_TYPE_EBTABLES_POLICY in iptables/nft.c).
  constexpr std::byte policy{1};
  std::span<const std::byte> userdata = code.userdata;
  while (userdata.size() >= 2) {
    const auto length = std::to_integer<std::size_t>(userdata[1]);
    if (length > userdata.size() - 2) return false;
    if (userdata[0] == policy) return true;
    userdata = userdata.subspan(2 + length);
  }
  return false;
}

}  // namespace plumbline
