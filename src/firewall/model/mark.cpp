#include "mark.hpp"

#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter_bridge/ebt_mark_m.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "plumbline/firewall/model/chain.hpp"

namespace plumbline {

namespace {

/// The comment of rules and chains of ours, whole or before `: ` and the user's own.
constexpr std::string_view mark_comment = "plumbline";
const std::string mark_prefix = std::string(mark_comment) + ": ";
constexpr std::string_view comment_mark_rule = "-m comment --comment plumbline";
constexpr std::string_view ebtables_mark_rule = "--mark ! 0x706c6d62/0x0 -j CONTINUE";

constexpr std::uint32_t mark_number = 0x706c6d62;  // "plmb"
using MarkWords = std::array<std::string, 3>;
const MarkWords mark_words{"--mark", "!", "0x706c6d62/0x0"};
/// No interface has a colon in its name (dev_valid_name() in net/core/dev.c).
constexpr std::string_view mark_interface = "plumbline:rule";
const MarkWords from_words{"-i", "!", std::string(mark_interface)};
const MarkWords to_words{"-o", "!", std::string(mark_interface)};

auto find_mark(const firewall::Words& words) {
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

bool has_option(const firewall::Options& options, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(options, [&](const firewall::RuleOption& option) {
    return std::ranges::find(names, option.name) != names.end();
  });
}

/// The interface that no frame comes from or goes to, if ebtables takes it in that chain and the
/// rule has not one of the kind already.
const MarkWords* free_interface(const firewall::Options& options, std::string_view chain) {
  const bool sends = chain == "OUTPUT" || chain == "POSTROUTING";
  const bool receives = chain == "INPUT" || chain == "PREROUTING";
  if (!sends && !has_option(options, {"i", "in-interface", "in-if"})) return &from_words;
  if (!receives && !has_option(options, {"o", "out-interface", "out-if"})) return &to_words;
  return nullptr;
}

/// The option that holds the comment with our mark, or any comment when `any`.
const firewall::RuleOption* find_comment(const firewall::Options& options, bool any) {
  const auto found = std::ranges::find_if(options, [&](const firewall::RuleOption& option) {
    return option.name == "comment" && option.argument &&
           (any || is_mark_comment(*option.argument));
  });
  return found == options.end() ? nullptr : &*found;
}

/// False where it is there already.
bool add_comment_mark(firewall::Words& words) {
  const firewall::Options options = firewall::options_of(words);
  if (find_comment(options, false) != nullptr) return false;
  if (const auto* const option = find_comment(options, true)) {
    std::string& comment = words.at(option->word + 1);
    comment = comment.empty() ? std::string(mark_comment) : mark_prefix + comment;
  } else {
    const firewall::Words comment{"-m", "comment", "--comment", std::string(mark_comment)};
    words.insert(words.end(), comment.begin(), comment.end());
  }
  return true;
}

/// False where there is none.
bool remove_comment_mark(firewall::Words& words) {
  const firewall::Options options = firewall::options_of(words);
  const auto* const option = find_comment(options, false);
  if (option == nullptr) return false;
  const std::size_t at = option->word;
  if (*option->argument != mark_comment) {
    words.at(at + 1).erase(0, mark_prefix.size());
  } else if (at >= 2 && words.at(at - 2) == "-m" && words.at(at - 1) == "comment") {
    const auto first = words.begin() + static_cast<std::ptrdiff_t>(at) - 2;
    words.erase(first, first + 4);
  }
  return true;
}

bool add_ebtables_mark(firewall::Words& words, std::string_view chain) {
  const std::size_t before = words.size();
  words = with_ebtables_mark(std::move(words), chain);
  return words.size() != before;
}

bool remove_ebtables_mark(firewall::Words& words) {
  const auto found = find_mark(words);
  if (found == words.end()) return false;
  words.erase(found, found + static_cast<std::ptrdiff_t>(mark_words.size()));
  return true;
}

}  // namespace

std::string_view mark_rule(Family family) {
  return family == Family::bridge ? ebtables_mark_rule : comment_mark_rule;
}

bool is_mark_comment(std::string_view comment) {
  return comment == mark_comment || comment.starts_with(mark_prefix);
}

std::size_t mark_comment_size() { return mark_prefix.size(); }

bool carries_ebtables_mark(const firewall::Words& words) { return find_mark(words) != words.end(); }

bool carries_our_mark(const firewall::Words& words, const firewall::Options& options) {
  return find_comment(options, false) != nullptr || carries_ebtables_mark(words);
}

bool carries_our_mark(const firewall::RuleCode& code) {
  return code.userdata == chain_claim() ||
         std::ranges::any_of(firewall::comments_of(code), is_mark_comment) ||
         mark_in(code) != MarkKind::none;
}

bool is_mark_rule(std::string_view rule) {
  return rule == comment_mark_rule || rule == ebtables_mark_rule;
}

bool is_mark_rule(const firewall::RuleCode& code) {
  bool bare = true;
  std::size_t matches = 0;
  wire::for_each_attribute(code.expressions, [&](const wire::Attribute& expression) {
    wire::for_each_attribute(expression.payload(), [&](const wire::Attribute& part) {
      if (part.type() != NFTA_EXPR_NAME) return;
      bare = bare && (part.string() == "match" || part.string() == "counter");
      if (part.string() == "match") ++matches;
    });
  });
  if (!bare || matches > 1) return false;
  const auto comments = firewall::comments_of(code);
  return mark_in(code) == MarkKind::match ||
         (comments.size() == 1 && comments.front() == mark_comment);
}

firewall::Words with_ebtables_mark(firewall::Words words, std::string_view chain) {
  if (carries_ebtables_mark(words)) return words;
  const firewall::Options options = firewall::options_of(words, Family::bridge);
  // ebtables shows and saves two at most, and of two of a kind takes the last.
  const auto matches = firewall::ebtables_matches(options);
  if (matches.size() > 1 || std::ranges::find(matches, "mark") != matches.end()) {
    const MarkWords* interface = free_interface(options, chain);
    if (interface != nullptr) words.insert(words.begin(), interface->begin(), interface->end());
    return words;
  }
  const auto jump = std::ranges::find_if(options, [](const firewall::RuleOption& option) {
    return option.name == "j" || option.name == "jump";
  });
  const std::size_t place = jump == options.end() ? words.size() : jump->word;
  // Watchers and matches may stand behind the target: theirs come first all the same.
  const bool last_is_jump = place + 2 >= words.size();
  words.insert(last_is_jump ? words.begin() + static_cast<std::ptrdiff_t>(place) : words.end(),
               mark_words.begin(), mark_words.end());
  return words;
}

FirewallRule with_our_mark(const FirewallRule& rule, Family family, std::string_view chain) {
  auto words = words_of(rule);
  if (!words) return rule;
  const bool added =
      family == Family::bridge ? add_ebtables_mark(*words, chain) : add_comment_mark(*words);
  return added ? FirewallRule(*std::move(words)) : rule;
}

std::string without_our_mark(const FirewallRule& rule, Family family) {
  auto words = words_of(rule);
  if (!words) return rule.text();
  const bool removed =
      family == Family::bridge ? remove_ebtables_mark(*words) : remove_comment_mark(*words);
  return removed ? firewall::join_words(*words) : rule.text();
}

const wire::Bytes& chain_claim() {
  // Type, length and value, as libnftnl's nftnl_udata; the type is one that nft and iptables pass
  // over.
  static const wire::Bytes claim = [] {
    wire::Bytes bytes{std::byte{0x77}, static_cast<std::byte>(mark_comment.size())};
    for (const char c : mark_comment) bytes.push_back(static_cast<std::byte>(c));
    return bytes;
  }();
  return claim;
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
