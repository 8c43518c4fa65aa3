// What little of a rule's meaning has to be known: its comments, and where it leads to.

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_comment.h>

#include <algorithm>

#include "expressions.hpp"
#include "plumbline/firewall/bytes/nftables.hpp"

namespace plumbline::firewall {

namespace {

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
