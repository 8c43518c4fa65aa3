// A dumped rule made comparable, and back: counts, and the numbers of ipsets. And what little of
// its meaning has to be known: its comments, and where it leads to.

#include "rule_code.hpp"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_comment.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "expressions.hpp"
#include "plumbline/firewall/bytes/nftables.hpp"

namespace plumbline::firewall {

namespace {

std::uint16_t index_at(ByteSpan place) {
  std::uint16_t index = 0;
  std::memcpy(&index, place.data(), sizeof index);
  return index;
}

void write_index(std::span<std::byte> place, std::uint16_t index) {
  std::memcpy(place.data(), &index, sizeof index);
}

/// To write to it: `place` is a part of `whole`.
std::span<std::byte> place_in(std::span<std::byte> whole, ByteSpan place) {
  return whole.subspan(static_cast<std::size_t>(place.data() - whole.data()), place.size());
}

/// Up to the first NUL or the end.
std::string text_in(ByteSpan bytes) {
  const auto end = std::ranges::find(bytes, std::byte{0});
  return {reinterpret_cast<const char*>(bytes.data()),
          static_cast<std::size_t>(end - bytes.begin())};
}

/// Of the userdata, which is a row of type, length and value of a byte each (libnftnl's udata.h).
/// The kernel does not look at it, so where it is something else it holds no comment.
std::optional<std::string> comment_in(ByteSpan userdata) {
  constexpr std::byte comment{0};  // NFTNL_UDATA_RULE_COMMENT
  while (userdata.size() >= 2) {
    const auto length = std::to_integer<std::size_t>(userdata[1]);
    if (length > userdata.size() - 2) return std::nullopt;
    if (userdata[0] == comment) return text_in(userdata.subspan(2, length));
    userdata = userdata.subspan(2 + length);
  }
  return std::nullopt;
}

/// The word or the chain of a verdict; empty for one that has none.
std::string_view verdict_in(ByteSpan verdict) {
  switch (static_cast<std::int32_t>(number_in(verdict, NFTA_VERDICT_CODE))) {
    case NF_ACCEPT:
      return "ACCEPT";
    case NF_DROP:
      return "DROP";
    case NFT_RETURN:
      return "RETURN";
    case NFT_JUMP:
    case NFT_GOTO:
      break;
    default:
      return {};
  }
  const auto chain = find_attribute(verdict, NFTA_VERDICT_CHAIN);
  if (!chain || chain->string().empty()) throw wire::Malformed("a jump to a chain without a name");
  return chain->string();
}

/// Extensions that iptables-nft writes as expressions of nf_tables itself (iptables/nft.c).
std::string_view native_target_in(const Expression& expression) {
  if (expression.name == "log") {
    return find_attribute(expression.attributes, NFTA_LOG_GROUP) ? "NFLOG" : "LOG";
  }
  if (expression.name == "meta" && find_attribute(expression.attributes, NFTA_META_SREG) &&
      number_in(expression.attributes, NFTA_META_KEY) == NFT_META_NFTRACE) {
    return "TRACE";
  }
  return {};
}

std::string_view target_in(const Expression& expression) {
  if (expression.name == "target") return extension_in(expression).name;
  if (expression.name != "immediate") return native_target_in(expression);
  const auto verdict =
      find_attribute(payload_in(expression.attributes, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT);
  return verdict ? verdict_in(verdict->payload()) : std::string_view{};
}

}  // namespace

RuleCode code_of(DumpedRule rule, const SetName& set_name) {
  RuleCode code{std::move(rule.expressions), {}, std::move(rule.userdata)};
  const auto each = [&](Variable variable, ByteSpan found) {
    const auto place = place_in(code.expressions, found);
    switch (variable) {
      case Variable::count:
        std::ranges::fill(place, std::byte{0});
        break;
      case Variable::spent:  // the last byte of a word in network order
        place[3] &= ~std::byte{NFT_QUOTA_F_DEPLETED};
        break;
      case Variable::ip_set:
        code.sets.push_back(set_name(index_at(found)));
        write_index(place, static_cast<std::uint16_t>(code.sets.size() - 1));
        break;
    }
  };
  for_each_variable(code.expressions, std::ref(each));
  return code;
}

std::vector<std::uint16_t> set_indexes(std::span<const std::byte> expressions) {
  std::vector<std::uint16_t> indexes;
  const auto each = [&](Variable variable, ByteSpan place) {
    if (variable == Variable::ip_set) indexes.push_back(index_at(place));
  };
  for_each_variable(expressions, std::ref(each));
  return indexes;
}

void write_set_indexes(std::span<std::byte> expressions, const std::vector<std::string>& sets,
                       const SetIndex& set_index) {
  const auto each = [&](Variable variable, ByteSpan found) {
    if (variable != Variable::ip_set) return;
    const std::size_t position = index_at(found);
    if (position >= sets.size()) throw wire::Malformed("a rule refers to an ipset without a name");
    write_index(place_in(expressions, found), set_index(sets[position]));
  };
  for_each_variable(expressions, std::ref(each));
}

std::vector<std::string> comments_of(const RuleCode& code) {
  std::vector<std::string> comments;
  const auto each = [&](const Expression& expression) {
    if (expression.name != "match") return;
    const Extension match = extension_in(expression);
    if (match.name != "comment") return;
    const std::size_t size = std::min(match.payload.size(), sizeof(xt_comment_info::comment));
    comments.push_back(text_in(match.payload.first(size)));
  };
  for_each_expression(code.expressions, std::ref(each));
  if (auto comment = comment_in(code.userdata)) comments.push_back(std::move(*comment));
  return comments;
}

std::vector<std::string> chains_of(const RuleCode& code) {
  std::vector<std::string> chains;
  const auto each = [&](const Expression& expression) {
    if (expression.name != "immediate") return;
    const auto verdict =
        find_attribute(payload_in(expression.attributes, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT);
    if (!verdict) return;
    const auto chain = find_attribute(verdict->payload(), NFTA_VERDICT_CHAIN);
    if (chain) chains.emplace_back(chain->string());
  };
  for_each_expression(code.expressions, std::ref(each));
  return chains;
}

std::vector<std::string> targets_of(const RuleCode& code) {
  std::vector<std::string> targets;
  const auto each = [&](const Expression& expression) {
    const auto target = target_in(expression);
    if (!target.empty()) targets.emplace_back(target);
  };
  for_each_expression(code.expressions, std::ref(each));
  return targets;
}

}  // namespace plumbline::firewall
