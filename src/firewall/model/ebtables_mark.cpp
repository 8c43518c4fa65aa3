#include "ebtables_mark.hpp"

#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter_bridge/ebt_mark_m.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline {

namespace {

constexpr std::uint32_t mark_number = 0x706c6d62;  // "plmb"
using MarkWords = std::array<std::string, 3>;
const MarkWords mark_words{"--mark", "!", "0x706c6d62/0x0"};
/// No interface has a colon in its name (dev_valid_name() in net/core/dev.c).
constexpr std::string_view mark_interface = "plumbline:rule";
const MarkWords from_words{"-i", "!", std::string(mark_interface)};
const MarkWords to_words{"-o", "!", std::string(mark_interface)};

auto find_mark(firewall::Words& words) {
  for (const MarkWords* mark : {&mark_words, &from_words, &to_words}) {
    const auto found = std::search(words.begin(), words.end(), mark->begin(), mark->end());
    if (found != words.end()) return found;
  }
  return words.end();
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

bool is_mark_interface(std::span<const std::byte> comparison) {
  const auto operation = part_of(comparison, NFTA_CMP_OP);
  const auto data = part_of(comparison, NFTA_CMP_DATA);
  if (!operation || !data || be32toh(operation->u32()) != NFT_CMP_NEQ) return false;
  const auto value = part_of(data->payload(), NFTA_DATA_VALUE);
  return value && value->string() == mark_interface;
}

enum class MarkKind : std::uint8_t { none, match, interface };

MarkKind mark_in(std::string_view expression, std::span<const std::byte> attributes) {
  if (expression == "cmp" && is_mark_interface(attributes)) return MarkKind::interface;
  if (expression != "match") return MarkKind::none;
  const auto match = part_of(attributes, NFTA_MATCH_NAME);
  const auto info = part_of(attributes, NFTA_MATCH_INFO);
  const bool found = match && info && match->string() == EBT_MARK_MATCH && is_mark(info->payload());
  return found ? MarkKind::match : MarkKind::none;
}

MarkKind mark_in(const firewall::RuleCode& code) {
  MarkKind kind = MarkKind::none;
  wire::for_each_attribute(code.expressions, [&](const wire::Attribute& expression) {
    const auto name = part_of(expression.payload(), NFTA_EXPR_NAME);
    const auto data = part_of(expression.payload(), NFTA_EXPR_DATA);
    if (name && data && kind == MarkKind::none) kind = mark_in(name->string(), data->payload());
  });
  return kind;
}

bool has_option(const std::vector<firewall::RuleOption>& options,
                std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(options, [&](const firewall::RuleOption& option) {
    return std::ranges::find(names, option.name) != names.end();
  });
}

/// The interface that no frame comes from or goes to, if ebtables takes it in that chain and the
/// rule has not one of the kind already.
const MarkWords* free_interface(const std::vector<firewall::RuleOption>& options,
                                std::string_view chain) {
  const bool sends = chain == "OUTPUT" || chain == "POSTROUTING";
  const bool receives = chain == "INPUT" || chain == "PREROUTING";
  if (!sends && !has_option(options, {"i", "in-interface", "in-if"})) return &from_words;
  if (!receives && !has_option(options, {"o", "out-interface", "out-if"})) return &to_words;
  return nullptr;
}

}  // namespace

bool carries_ebtables_mark(std::string_view rule) {
  if (rule.find(mark_words.back()) == std::string_view::npos &&
      rule.find(mark_interface) == std::string_view::npos) {
    return false;
  }
  auto words = firewall::split_words(rule);
  return words && find_mark(*words) != words->end();
}

bool has_ebtables_mark_match(const firewall::RuleCode& code) {
  return mark_in(code) == MarkKind::match;
}

bool carries_ebtables_mark(const firewall::RuleCode& code) {
  return mark_in(code) != MarkKind::none;
}

std::string with_ebtables_mark(const std::string& rule, std::string_view chain) {
  auto words = firewall::split_words(rule);
  if (!words || find_mark(*words) != words->end()) return rule;
  const auto options = firewall::options_of(*words, Family::bridge);
  // ebtables shows and saves two at most, and of two of a kind takes the last.
  const auto matches = firewall::ebtables_matches(*words);
  if (matches.size() > 1 || std::ranges::find(matches, "mark") != matches.end()) {
    const MarkWords* interface = free_interface(options, chain);
    if (interface == nullptr) return rule;
    words->insert(words->begin(), interface->begin(), interface->end());
    return firewall::join_words(*words);
  }
  const auto jump = std::ranges::find_if(options, [](const firewall::RuleOption& option) {
    return option.name == "j" || option.name == "jump";
  });
  const std::size_t place = jump == options.end() ? words->size() : jump->word;
  // Watchers and matches may stand behind the target: theirs come first all the same.
  const bool last_is_jump = place + 2 >= words->size();
  words->insert(last_is_jump ? words->begin() + static_cast<std::ptrdiff_t>(place) : words->end(),
                mark_words.begin(), mark_words.end());
  return firewall::join_words(*words);
}

std::string without_ebtables_mark(const std::string& rule) {
  auto words = firewall::split_words(rule);
  if (!words) return rule;
  const auto found = find_mark(*words);
  if (found == words->end()) return rule;
  words->erase(found, found + static_cast<std::ptrdiff_t>(mark_words.size()));
  return firewall::join_words(*words);
}

bool is_chain_policy(const firewall::RuleCode& code) {
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
