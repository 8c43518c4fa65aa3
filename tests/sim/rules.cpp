#include "tests/sim/rules.hpp"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "tests/sim/attributes.hpp"

namespace plumbline::sim {

namespace {

/// Since Linux 6.15 shown with the ports; not in the headers of Debian 12.
constexpr std::uint16_t fra_sport_mask = 28;
constexpr std::uint16_t fra_dport_mask = 29;
constexpr std::uint32_t none = UINT32_MAX;

Family family_of(const fib_rule_hdr& header) {
  if (header.family == AF_INET) return Family::inet;
  if (header.family == AF_INET6) return Family::inet6;
  throw Refusal{EAFNOSUPPORT, "Rule family not supported"};
}

/// validate_rulemsg()
void check_prefix(const Attributes& given, std::uint16_t type, unsigned length, Family family,
                  const char* words) {
  const std::size_t size = address_bits(family) / 8U;
  if (length != 0 && (length > address_bits(family) || given.bytes(type).size() != size)) {
    throw Refusal{EINVAL, words};
  }
}

std::optional<Prefix> prefix_of(const Attributes& given, std::uint16_t type, std::uint8_t length) {
  const auto address = given.address(type);
  if (!address || length == 0) return std::nullopt;
  return Prefix::masking(*address, length);
}

template <class Wire, class T>
std::optional<std::array<T, 2>> range_of(const Attributes& given, std::uint16_t type) {
  const auto range = given.get<Wire>(type);
  if (!range) return std::nullopt;
  return std::array<T, 2>{static_cast<T>(range->start), static_cast<T>(range->end)};
}

/// fib_rule_port_range_valid()
void check_ports(const std::optional<std::array<std::uint16_t, 2>>& ports, const char* words) {
  if (!ports) return;
  const auto [first, last] = *ports;
  if (first == 0 || last == 0 || last == UINT16_MAX || first > last) throw Refusal{EINVAL, words};
}

/// fib_default_rule_pref(): before the second.
std::uint32_t free_priority(const std::vector<Rule>& rules) {
  if (rules.size() < 2 || rules[1].priority == 0) return 0;
  return rules[1].priority - 1;
}

/// fib_nl2rule()
Rule read_rule(const fib_rule_hdr& header, const Attributes& given,
               const std::vector<Rule>& rules) {
  const Family family = family_of(header);
  check_prefix(given, FRA_SRC, header.src_len, family, "Invalid source address");
  check_prefix(given, FRA_DST, header.dst_len, family, "Invalid destination address");
  Rule rule;
  const auto priority = given.u32(FRA_PRIORITY);
  rule.priority = priority ? *priority : free_priority(rules);
  rule.protocol = given.u8(FRA_PROTOCOL).value_or(RTPROT_UNSPEC);
  rule.iif = given.string(FRA_IIFNAME);
  rule.oif = given.string(FRA_OIFNAME);
  rule.mark = given.u32(FRA_FWMARK).value_or(0);
  rule.mask = given.u32(FRA_FWMASK).value_or(rule.mark != 0 ? none : 0);
  rule.action = header.action;
  rule.flags = header.flags;
  rule.tos = header.tos;
  rule.table = given.u32(FRA_TABLE).value_or(header.table);
  rule.suppress_length = given.u32(FRA_SUPPRESS_PREFIXLEN).value_or(none);
  rule.suppress_group = given.u32(FRA_SUPPRESS_IFGROUP).value_or(none);
  rule.from = prefix_of(given, FRA_SRC, header.src_len);
  rule.to = prefix_of(given, FRA_DST, header.dst_len);
  const auto target = given.u32(FRA_GOTO);
  if (target && rule.action != FR_ACT_GOTO) throw Refusal{EINVAL, "Unexpected goto"};
  if (target && *target <= rule.priority) {
    throw Refusal{EINVAL, "Backward goto not supported"};
  }
  if (!target && rule.action == FR_ACT_GOTO) {
    throw Refusal{EINVAL, "Missing goto target for action goto"};
  }
  rule.target = target.value_or(0);
  rule.uids = range_of<fib_rule_uid_range, std::uint32_t>(given, FRA_UID_RANGE);
  if (rule.uids && (rule.uids->front() == none || rule.uids->back() == none ||
                    rule.uids->front() > rule.uids->back())) {
    throw Refusal{EINVAL, "Invalid uid range"};
  }
  rule.ip_protocol = given.u8(FRA_IP_PROTO).value_or(0);
  rule.source_ports = range_of<fib_rule_port_range, std::uint16_t>(given, FRA_SPORT_RANGE);
  check_ports(rule.source_ports, "Invalid sport range");
  rule.destination_ports = range_of<fib_rule_port_range, std::uint16_t>(given, FRA_DPORT_RANGE);
  check_ports(rule.destination_ports, "Invalid dport range");
  return rule;
}

/// rule_exists(): where a new one says nothing of addresses or of the TOS, any will do, and neither
/// the flags nor the target of a goto are looked at.
bool is_same(const Rule& present, const Rule& asked) {
  Rule other = asked;
  other.flags = present.flags;
  other.target = present.target;
  other.iif_index = present.iif_index;
  other.oif_index = present.oif_index;
  if (!asked.from) other.from = present.from;
  if (!asked.to) other.to = present.to;
  if (asked.tos == 0) other.tos = present.tos;
  return present == other;
}

/// rule_find() and the compare() of the family: what the message does not say is not looked at.
bool is_meant(const Rule& rule, const Rule& asked, bool has_priority, const fib_rule_hdr& header) {
  const auto differs = [](auto wanted, auto has) { return wanted != 0 && wanted != has; };
  if (differs(asked.action, rule.action) || differs(asked.table, rule.table)) return false;
  if (has_priority && asked.priority != rule.priority) return false;
  if (!asked.iif.empty() && asked.iif != rule.iif) return false;
  if (!asked.oif.empty() && asked.oif != rule.oif) return false;
  if (differs(asked.mark, rule.mark) || differs(asked.mask, rule.mask)) return false;
  if (asked.suppress_group != none && asked.suppress_group != rule.suppress_group) return false;
  if (asked.suppress_length != none && asked.suppress_length != rule.suppress_length) return false;
  if (asked.uids && asked.uids != rule.uids) return false;
  if (differs(asked.ip_protocol, rule.ip_protocol)) return false;
  if (differs(asked.protocol, rule.protocol) || differs(asked.tos, rule.tos)) return false;
  if (asked.source_ports && asked.source_ports != rule.source_ports) return false;
  if (asked.destination_ports && asked.destination_ports != rule.destination_ports) return false;
  if (header.src_len != 0 && asked.from != rule.from) return false;
  return header.dst_len == 0 || asked.to == rule.to;
}

template <class Wire, class T>
void put_range(wire::MessageBuilder& message, std::uint16_t type,
               const std::optional<std::array<T, 2>>& range) {
  if (!range) return;
  const Wire wire{range->front(), range->back()};
  message.bytes(type, std::as_bytes(std::span(&wire, 1)));
}

template <class Visit>
void for_each_rule(Namespace& there, const Visit& visit) {
  for (Routing* routing : {&there.inet, &there.inet6}) {
    for (Rule& rule : routing->rules) visit(rule);
  }
}

/// fib_nl_fill_rule()
void put_rule(wire::Bytes& all, const Namespace& there, Family family, const Rule& rule) {
  const auto& rules = there.routing(family).rules;
  wire::MessageBuilder message(RTM_NEWRULE, NLM_F_MULTI);
  fib_rule_hdr header{};
  header.family = address_family(family);
  header.src_len = rule.from ? rule.from->length() : std::uint8_t{0};
  header.dst_len = rule.to ? rule.to->length() : std::uint8_t{0};
  header.tos = rule.tos;
  header.table = static_cast<std::uint8_t>(rule.table < 256 ? rule.table : RT_TABLE_COMPAT);
  header.action = rule.action;
  header.flags = rule.flags;
  const bool resolved = std::ranges::count(rules, rule.target, &Rule::priority) != 0;
  if (rule.action == FR_ACT_GOTO && !resolved) header.flags |= FIB_RULE_UNRESOLVED;
  if (!rule.iif.empty() && rule.iif_index == 0) header.flags |= FIB_RULE_IIF_DETACHED;
  if (!rule.oif.empty() && rule.oif_index == 0) header.flags |= FIB_RULE_OIF_DETACHED;
  message.header(header).u32(FRA_TABLE, rule.table);
  message.u32(FRA_SUPPRESS_PREFIXLEN, rule.suppress_length);
  message.u8(FRA_PROTOCOL, rule.protocol);
  if (!rule.iif.empty()) message.string(FRA_IIFNAME, rule.iif);
  if (!rule.oif.empty()) message.string(FRA_OIFNAME, rule.oif);
  if (rule.priority != 0) message.u32(FRA_PRIORITY, rule.priority);
  if (rule.mark != 0) message.u32(FRA_FWMARK, rule.mark);
  if (rule.mark != 0 || rule.mask != 0) message.u32(FRA_FWMASK, rule.mask);
  if (rule.target != 0) message.u32(FRA_GOTO, rule.target);
  put_range<fib_rule_uid_range>(message, FRA_UID_RANGE, rule.uids);
  if (rule.ip_protocol != 0) message.u8(FRA_IP_PROTO, rule.ip_protocol);
  put_range<fib_rule_port_range>(message, FRA_SPORT_RANGE, rule.source_ports);
  if (rule.source_ports) message.u16(fra_sport_mask, UINT16_MAX);
  put_range<fib_rule_port_range>(message, FRA_DPORT_RANGE, rule.destination_ports);
  if (rule.destination_ports) message.u16(fra_dport_mask, UINT16_MAX);
  if (rule.suppress_group != none) message.u32(FRA_SUPPRESS_IFGROUP, rule.suppress_group);
  if (rule.from) message.address(FRA_SRC, rule.from->address());
  if (rule.to) message.address(FRA_DST, rule.to->address());
  const wire::Bytes bytes = std::move(message).finish();
  all.insert(all.end(), bytes.begin(), bytes.end());
  all.resize(wire::aligned(all.size()));
}

}  // namespace

void new_rule(Namespace& there, const wire::Message& message) {
  const auto header = message.fixed<fib_rule_hdr>();
  const auto given = Attributes::behind<fib_rule_hdr>(message);
  std::vector<Rule>& rules = there.routing(family_of(header)).rules;
  Rule rule = read_rule(header, given, rules);
  const bool exists =
      std::ranges::any_of(rules, [&](const Rule& other) { return is_same(other, rule); });
  if ((message.flags() & NLM_F_EXCL) != 0 && exists) throw Refusal{EEXIST, ""};
  // fib4_rule_configure(), fib6_rule_configure()
  if ((header.tos & 3U) != 0) throw Refusal{EINVAL, "Invalid dsfield (tos): ECN bits must be 0"};
  if (rule.table == 0 && rule.action == FR_ACT_TO_TBL) {
    if (header.family == AF_INET6) throw Refusal{EINVAL, "Invalid table"};
    for (rule.table = 1; !there.inet.tables.insert(rule.table).second;) ++rule.table;
  }
  // By an alternative name too, which later ones are not found by.
  const auto index_of = [&](const std::string& name) {
    const Device* device = name.empty() ? nullptr : there.device(name);
    return device == nullptr ? 0 : device->index;
  };
  rule.iif_index = index_of(rule.iif);
  rule.oif_index = index_of(rule.oif);
  Routing& routing = there.routing(family_of(header));
  routing.custom_rules = true;
  if (header.family == AF_INET6 && rule.action == FR_ACT_TO_TBL) routing.tables.insert(rule.table);
  const auto at = std::ranges::find_if(
      rules, [&](const Rule& other) { return other.priority > rule.priority; });
  rules.insert(at, std::move(rule));
}

void remove_rule(Namespace& there, const wire::Message& message) {
  const auto header = message.fixed<fib_rule_hdr>();
  const auto given = Attributes::behind<fib_rule_hdr>(message);
  std::vector<Rule>& rules = there.routing(family_of(header)).rules;
  const Rule asked = read_rule(header, given, rules);
  const auto found = std::ranges::find_if(rules, [&](const Rule& rule) {
    return is_meant(rule, asked, given.has(FRA_PRIORITY), header);
  });
  if (found == rules.end()) throw Refusal{ENOENT, ""};
  if ((found->flags & FIB_RULE_PERMANENT) != 0) throw Refusal{EPERM, ""};
  rules.erase(found);
  there.routing(family_of(header)).custom_rules = true;
}

void attach_rules(Namespace& there, const Device& device) {
  for_each_rule(there, [&](Rule& rule) {
    if (rule.iif_index == 0 && rule.iif == device.name) rule.iif_index = device.index;
    if (rule.oif_index == 0 && rule.oif == device.name) rule.oif_index = device.index;
  });
}

void detach_rules(Namespace& there, int device) {
  for_each_rule(there, [&](Rule& rule) {
    if (rule.iif_index == device) rule.iif_index = 0;
    if (rule.oif_index == device) rule.oif_index = 0;
  });
}

wire::Bytes dump_rules(const Namespace& there, const wire::Message& request) {
  const std::uint8_t asked = request.fixed<fib_rule_hdr>().family;
  wire::Bytes all;
  for (const Family family : {Family::inet, Family::inet6}) {
    if (asked != 0 && asked != address_family(family)) continue;
    for (const Rule& rule : there.routing(family).rules) put_rule(all, there, family, rule);
  }
  return all;
}

/// fib_default_rules_init() in net/ipv4/fib_rules.c, fib6_rules_net_init()
void add_first_rules(Namespace& there) {
  const auto first = [](std::uint32_t priority, std::uint32_t table) {
    Rule rule;
    rule.priority = priority;
    rule.table = table;
    rule.action = FR_ACT_TO_TBL;
    rule.protocol = RTPROT_KERNEL;
    return rule;
  };
  constexpr std::uint32_t of_main = 32766;
  there.inet.rules = {first(0, RT_TABLE_LOCAL), first(of_main, RT_TABLE_MAIN),
                      first(of_main + 1, RT_TABLE_DEFAULT)};
  there.inet6.rules = {first(0, RT_TABLE_LOCAL), first(of_main, RT_TABLE_MAIN)};
}

}  // namespace plumbline::sim
