// Policy rules as rtnetlink(7) has them: fib_rule_hdr and its attributes.

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "dump.hpp"
#include "plumbline/kinds/rule.hpp"

namespace plumbline {

namespace {

using wire::Attribute;
using wire::MessageBuilder;

constexpr std::uint32_t none = UINT32_MAX;  // of FRA_SUPPRESS_PREFIXLEN and _IFGROUP
/// Newer ones (FRA_DSCP, …) are conditions, and shown only when set.
constexpr std::uint16_t fra_last_known = FRA_DPORT_RANGE;
/// Since Linux 6.15 a single port is shown with a mask, which is all ones unless somebody asked for
/// another (net/core/fib_rules.c, fib_nl2rule_port_mask()). Not in the headers of Debian 12.
constexpr std::uint16_t fra_sport_mask = 28;
constexpr std::uint16_t fra_dport_mask = 29;
constexpr std::uint32_t known_flags = FIB_RULE_PERMANENT | FIB_RULE_INVERT | FIB_RULE_UNRESOLVED |
                                      FIB_RULE_IIF_DETACHED | FIB_RULE_OIF_DETACHED;

std::uint8_t encode_action(RuleAction action) {
  switch (action) {
    case RuleAction::table:
      return FR_ACT_TO_TBL;
    case RuleAction::goto_priority:
      return FR_ACT_GOTO;
    case RuleAction::nop:
      return FR_ACT_NOP;
    case RuleAction::blackhole:
      return FR_ACT_BLACKHOLE;
    case RuleAction::unreachable:
      return FR_ACT_UNREACHABLE;
    case RuleAction::prohibit:
      return FR_ACT_PROHIBIT;
  }
  return FR_ACT_UNSPEC;
}

std::optional<RuleAction> decode_action(std::uint8_t number) {
  for (const RuleAction action :
       {RuleAction::table, RuleAction::goto_priority, RuleAction::nop, RuleAction::blackhole,
        RuleAction::unreachable, RuleAction::prohibit}) {
    if (encode_action(action) == number) return action;
  }
  return std::nullopt;
}

template <class T, class Wire>
Range<T> decode_range(const Attribute& attribute) {
  const auto range = attribute.read<Wire>();
  return {static_cast<T>(range.start), static_cast<T>(range.end)};
}

/// The attributes that are conditions.
bool decode_condition(const Attribute& attribute, const fib_rule_hdr& header, Rule& rule) {
  switch (attribute.type()) {
    case FRA_SRC:
      rule.from = Prefix::masking(attribute.address(), header.src_len);
      return true;
    case FRA_DST:
      rule.to = Prefix::masking(attribute.address(), header.dst_len);
      return true;
    case FRA_IIFNAME:
      rule.iif = attribute.string();
      return true;
    case FRA_OIFNAME:
      rule.oif = attribute.string();
      return true;
    case FRA_FWMARK:
      rule.fwmark = attribute.u32();
      return true;
    case FRA_FWMASK:
      rule.fwmask = attribute.u32();
      return true;
    case FRA_IP_PROTO:
      rule.ip_protocol = attribute.u8();
      return true;
    case FRA_SPORT_RANGE:
      rule.source_ports = decode_range<std::uint16_t, fib_rule_port_range>(attribute);
      return true;
    case FRA_DPORT_RANGE:
      rule.destination_ports = decode_range<std::uint16_t, fib_rule_port_range>(attribute);
      return true;
    case FRA_UID_RANGE:
      rule.uids = decode_range<std::uint32_t, fib_rule_uid_range>(attribute);
      return true;
    default:
      return false;
  }
}

void decode_attribute(const Attribute& attribute, const fib_rule_hdr& header, Rule& rule) {
  if (decode_condition(attribute, header, rule)) return;
  switch (attribute.type()) {
    case FRA_PRIORITY:
      rule.priority = attribute.u32();
      break;
    case FRA_PROTOCOL:
      rule.protocol = attribute.u8();
      break;
    case FRA_TABLE:
      rule.table = TableId{attribute.u32()};
      break;
    case FRA_GOTO:
      rule.goto_priority = attribute.u32();
      break;
    case FRA_SUPPRESS_PREFIXLEN:
      if (attribute.u32() != none) rule.suppress_prefix_length = attribute.u32();
      break;
    case FRA_SUPPRESS_IFGROUP:
      if (attribute.u32() != none) rule.has_more = true;
      break;
    case FRA_L3MDEV:
      if (attribute.u8() != 0) rule.has_more = true;
      break;
    case fra_sport_mask:
    case fra_dport_mask:
      if (attribute.u16() != UINT16_MAX) rule.has_more = true;
      break;
    case FRA_FLOW:
    case FRA_TUN_ID:
      rule.has_more = true;
      break;
    default:
      if (attribute.type() > fra_last_known) rule.has_more = true;
  }
}

/// Puts in order what the kernel shows although it means nothing.
void settle(const fib_rule_hdr& header, Rule& rule) {
  if (rule.fwmark || rule.fwmask) {
    rule.fwmark = rule.fwmark.value_or(0);
    rule.fwmask = rule.fwmask.value_or(0);
  }
  const auto action = decode_action(header.action);
  rule.action = action.value_or(RuleAction::nop);
  if (!action || (header.flags & ~known_flags) != 0) rule.has_more = true;
  // ip(8) gives a rule of any action the table main, which nothing then reads.
  if (rule.action != RuleAction::table || rule.table == TableId{0}) rule.table.reset();
  if (rule.action != RuleAction::goto_priority) rule.goto_priority.reset();
}

Rule decode_rule(const wire::Message& message, const fib_rule_hdr& header) {
  Rule rule;
  rule.family = header.family == address_family(Family::inet6) ? Family::inet6 : Family::inet;
  rule.invert = (header.flags & FIB_RULE_INVERT) != 0;
  rule.tos = header.tos;
  rule.table = TableId{header.table};
  message.attributes<fib_rule_hdr>(
      [&](const Attribute& attribute) { decode_attribute(attribute, header, rule); });
  settle(header, rule);
  return rule;
}

void put_prefix(MessageBuilder& builder, std::uint16_t type, const std::optional<Prefix>& prefix) {
  if (prefix) builder.address(type, prefix->address());
}

template <class Wire, class T>
void put_range(MessageBuilder& builder, std::uint16_t type, const std::optional<Range<T>>& range) {
  if (!range) return;
  const Wire wire{range->first, range->last};
  builder.bytes(type, std::as_bytes(std::span(&wire, 1)));
}

fib_rule_hdr header_of(const Rule& rule) {
  fib_rule_hdr header{};
  header.family = address_family(rule.family);
  header.src_len = rule.from ? rule.from->length() : std::uint8_t{0};
  header.dst_len = rule.to ? rule.to->length() : std::uint8_t{0};
  header.tos = rule.tos;
  header.action = encode_action(rule.action);
  header.flags = rule.invert ? FIB_RULE_INVERT : 0;
  return header;
}

wire::Request message_of(std::uint16_t type, std::uint16_t flags, const Rule& rule) {
  MessageBuilder builder(type, flags);
  builder.header(header_of(rule));
  builder.u32(FRA_PRIORITY, rule.priority).u8(FRA_PROTOCOL, rule.protocol);
  put_prefix(builder, FRA_SRC, rule.from);
  put_prefix(builder, FRA_DST, rule.to);
  if (rule.iif) builder.string(FRA_IIFNAME, *rule.iif);
  if (rule.oif) builder.string(FRA_OIFNAME, *rule.oif);
  if (rule.fwmark) {
    builder.u32(FRA_FWMARK, *rule.fwmark).u32(FRA_FWMASK, rule.fwmask.value_or(none));
  }
  if (rule.ip_protocol) builder.u8(FRA_IP_PROTO, *rule.ip_protocol);
  put_range<fib_rule_port_range>(builder, FRA_SPORT_RANGE, rule.source_ports);
  put_range<fib_rule_port_range>(builder, FRA_DPORT_RANGE, rule.destination_ports);
  put_range<fib_rule_uid_range>(builder, FRA_UID_RANGE, rule.uids);
  if (rule.table) builder.u32(FRA_TABLE, rule.table->number);
  if (rule.goto_priority) builder.u32(FRA_GOTO, *rule.goto_priority);
  if (rule.suppress_prefix_length) {
    builder.u32(FRA_SUPPRESS_PREFIXLEN, *rule.suppress_prefix_length);
  }
  return wire::NetlinkChange{std::move(builder).finish()};
}

}  // namespace

std::vector<wire::Request> Rule::queries(const Scope&) {
  std::vector<wire::Request> queries;
  for (const Family family : {Family::inet, Family::inet6}) {
    fib_rule_hdr header{};
    header.family = address_family(family);
    MessageBuilder builder(RTM_GETRULE, 0);
    builder.header(header);
    queries.emplace_back(wire::NetlinkDump{std::move(builder).finish()});
  }
  return queries;
}

/// A rule that stands twice in the dump is given once: it is identified by all it says.
void Rule::decode(const wire::Request& request, const wire::Reply& reply, const LinkNames&,
                  std::vector<Rule>& out) {
  // A kernel without IPv6 has no rules of it, and says so (net/core/fib_rules.c, dumprule()).
  if (reply.error == EAFNOSUPPORT) return;
  const auto first = static_cast<std::ptrdiff_t>(out.size());
  detail::for_each_dumped(request, reply, RTM_NEWRULE, [&](const wire::Message& message) {
    out.push_back(decode_rule(message, message.fixed<fib_rule_hdr>()));
  });
  std::sort(out.begin() + first, out.end());
  out.erase(std::unique(out.begin() + first, out.end()), out.end());
}

/// Without NLM_F_EXCL: it makes adding rules quadratic, and what is there is known from the
/// observation that the plan was made from. A race can only leave the same rule twice.
std::vector<wire::Request> create(const Rule& rule, const LinkNames&) {
  return {message_of(RTM_NEWRULE, NLM_F_CREATE, rule)};
}

/// Never planned: a rule is identified by all it says.
std::vector<wire::Request> update(const Rule& have, const Rule& want, const LinkNames& links) {
  auto requests = create(want, links);
  const auto removal = remove(have, links);
  requests.insert(requests.end(), removal.begin(), removal.end());
  return requests;
}

std::vector<wire::Request> remove(const Rule& rule, const LinkNames&) {
  return {message_of(RTM_DELRULE, 0, rule)};
}

}  // namespace plumbline
