// Policy rules as a spec writes them: an element of `rules`, in ip-rule(8)'s words.

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>

#include "plumbline/base/number.hpp"
#include "plumbline/kinds/rule.hpp"
#include "rule_words.hpp"
#include "spec_words.hpp"

namespace plumbline {

namespace {

using wire::Entry;

/// `first-last` or one number, all within min..max.
template <class T>
std::optional<Range<T>> parse_range(std::string_view text, T min, T max) {
  const auto dash = text.find('-');
  const auto first = parse_number<T>(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_number<T>(text.substr(dash + 1));
  if (!first || !last || *first < min || *last > max || *first > *last) return std::nullopt;
  return Range<T>{*first, *last};
}

template <class T>
std::optional<Range<T>> range_word(const Entry& entry, T min, T max) {
  const std::string bounds = std::to_string(min) + ".." + std::to_string(max);
  if (entry.node().get<std::string>() == nullptr) {
    const auto number = entry.integer(min, max);
    if (!number) return std::nullopt;
    return Range<T>{static_cast<T>(*number), static_cast<T>(*number)};
  }
  const auto text = entry.string();
  if (!text) return std::nullopt;
  auto range = parse_range<T>(*text, min, max);
  if (!range) {
    entry.error(Code::invalid_rule, "expected a number or a range \"first-last\" within " + bounds +
                                        ", not '" + *text + "'");
  }
  return range;
}

/// The kernel takes neither port 0 nor 65535 (net/core/fib_rules.c, nla_get_port_range()).
std::optional<Range<std::uint16_t>> ports_word(const Entry& entry) {
  return range_word<std::uint16_t>(entry, 1, 65534);
}

/// 4294967295 is no user id.
std::optional<Range<std::uint32_t>> uids_word(const Entry& entry) {
  return range_word<std::uint32_t>(entry, 0, UINT32_MAX - 1);
}

struct Fwmark {
  std::uint32_t mark = 0;
  std::uint32_t mask = UINT32_MAX;
};

std::optional<Fwmark> fwmark_word(const Entry& entry) {
  if (entry.node().get<std::string>() == nullptr) {
    const auto number = entry.integer(0, UINT32_MAX);
    if (!number) return std::nullopt;
    return Fwmark{static_cast<std::uint32_t>(*number)};
  }
  const auto text = entry.string();
  if (!text) return std::nullopt;
  const std::string_view all = *text;
  const auto slash = all.find('/');
  const auto mark = parse_number<std::uint32_t>(all.substr(0, slash));
  const auto mask = slash == std::string_view::npos
                        ? UINT32_MAX
                        : parse_number<std::uint32_t>(all.substr(slash + 1));
  if (mark && mask) return Fwmark{*mark, *mask};
  entry.error(Code::invalid_rule, "expected a number or \"mark/mask\", not '" + *text + "'");
  return std::nullopt;
}

std::optional<std::uint8_t> ip_protocol_word(const Entry& entry) {
  if (entry.node().get<std::string>() == nullptr) {
    const auto number = entry.integer(1, 255);
    if (!number) return std::nullopt;
    return static_cast<std::uint8_t>(*number);
  }
  const auto text = entry.string();
  if (!text) return std::nullopt;
  const auto protocol = detail::parse_ip_protocol(*text);
  if (!protocol) {
    entry.error(Code::invalid_rule, "'" + *text + "' is no protocol known here: give its number");
  }
  return protocol;
}

std::optional<RuleAction> action_word(const Entry& entry) {
  const auto text = entry.string();
  if (!text) return std::nullopt;
  for (const RuleAction action :
       {RuleAction::table, RuleAction::goto_priority, RuleAction::nop, RuleAction::blackhole,
        RuleAction::unreachable, RuleAction::prohibit}) {
    if (*text == format(action)) return action;
  }
  entry.error(Code::invalid_rule,
              "expected table, goto, nop, blackhole, unreachable or prohibit, not '" + *text + "'");
  return std::nullopt;
}

bool read_addresses(const Entry& entry, Rule& rule) {
  const auto prefix = [](const Entry& word) {
    return detail::prefix_word(word, Code::invalid_rule);
  };
  const auto family = [](const Entry& word) {
    return detail::family_word(word, Code::invalid_rule);
  };
  std::optional<Family> said;
  bool good = detail::read_word(entry, "from", rule.from, prefix);
  good &= detail::read_word(entry, "to", rule.to, prefix);
  good &= detail::read_word(entry, "family", said, family);
  if (!good) return false;
  rule.family = said        ? *said
                : rule.from ? rule.from->family()
                : rule.to   ? rule.to->family()
                            : Family::inet;
  for (const auto& [name, value] : {std::pair{"from", rule.from}, std::pair{"to", rule.to}}) {
    if (!value || value->family() == rule.family) continue;
    entry.find(name)->error(Code::invalid_rule, "`" + std::string(name) +
                                                    "` is not of the family of the rule, " +
                                                    std::string(format(rule.family)));
    return false;
  }
  // "from all" is no condition, and the kernel does not keep it.
  if (rule.from && rule.from->length() == 0) rule.from.reset();
  if (rule.to && rule.to->length() == 0) rule.to.reset();
  return true;
}

/// IPv4 rules know only the four bits of the old TOS (net/ipv4/fib_rules.c,
/// fib4_rule_configure()).
std::optional<std::uint8_t> rule_tos(const Entry& entry, Family family) {
  const auto tos = detail::tos_word(entry, Code::invalid_rule);
  if (!tos || family == Family::inet6 || *tos <= 0x1c) return tos;
  entry.error(Code::invalid_rule, "an IPv4 rule's TOS is 0x1c at most");
  return std::nullopt;
}

bool read_conditions(const Entry& entry, Rule& rule) {
  const auto link = [](const Entry& word) -> std::optional<std::string> {
    const auto name = detail::link_word(word);
    if (!name) return std::nullopt;
    return format(*name);
  };
  const auto tos = [&](const Entry& word) { return rule_tos(word, rule.family); };
  std::optional<Fwmark> fwmark;
  bool good = detail::read_word(entry, "not", rule.invert,
                                [](const Entry& word) { return word.boolean(); });
  good &= detail::read_word(entry, "iif", rule.iif, link);
  good &= detail::read_word(entry, "oif", rule.oif, link);
  good &= detail::read_word(entry, "tos", rule.tos, tos);
  good &= detail::read_word(entry, "ipProtocol", rule.ip_protocol, ip_protocol_word);
  good &= detail::read_word(entry, "sourcePorts", rule.source_ports, ports_word);
  good &= detail::read_word(entry, "destinationPorts", rule.destination_ports, ports_word);
  good &= detail::read_word(entry, "uidRange", rule.uids, uids_word);
  good &= detail::read_word(entry, "fwmark", fwmark, fwmark_word);
  if (fwmark && (fwmark->mark != 0 || fwmark->mask != 0)) {
    rule.fwmark = fwmark->mark;
    rule.fwmask = fwmark->mask;
  }
  return good;
}

/// Refuses a word that only another action takes.
bool only_with(const Entry& entry, const char* word, bool allowed, std::string_view action) {
  const auto member = entry.find(word);
  if (!member || allowed) return true;
  member->error(Code::invalid_rule, "`" + std::string(word) + "` has no meaning with the action " +
                                        std::string(action));
  return false;
}

bool read_action(const Entry& entry, Rule& rule) {
  const auto table = [](const Entry& word) { return detail::table_word(word, Code::invalid_rule); };
  const auto number = [](const Entry& word) { return word.integer(0, UINT32_MAX); };
  std::optional<std::int64_t> target;
  std::optional<std::int64_t> suppress;
  if (entry.has("goto")) rule.action = RuleAction::goto_priority;
  const bool known = detail::read_word(entry, "action", rule.action, action_word);
  bool good = detail::read_word(entry, "table", rule.table, table) && known;
  good &= detail::read_word(entry, "goto", target, number);
  good &= detail::read_word(entry, "suppressPrefixLength", suppress, [&](const Entry& word) {
    return word.integer(0, address_bits(rule.family));
  });
  if (!known) return false;
  const bool to_table = rule.action == RuleAction::table;
  const bool jumps = rule.action == RuleAction::goto_priority;
  good &= only_with(entry, "table", to_table, format(rule.action));
  good &= only_with(entry, "suppressPrefixLength", to_table, format(rule.action));
  good &= only_with(entry, "goto", jumps, format(rule.action));
  if (to_table) good &= entry.require("table").has_value();
  if (jumps) good &= entry.require("goto").has_value();
  if (target) rule.goto_priority = static_cast<std::uint32_t>(*target);
  if (suppress) rule.suppress_prefix_length = static_cast<std::uint32_t>(*suppress);
  return good;
}

bool read_priority(const Entry& entry, Rule& rule) {
  const auto member = entry.require("priority");
  if (!member) return false;
  const auto priority = member->integer(0, UINT32_MAX);
  if (priority) rule.priority = static_cast<std::uint32_t>(*priority);
  return priority.has_value();
}

}  // namespace

std::optional<Rule> Rule::from_spec(const wire::Entry& entry) {
  if (!entry.is_object()) return std::nullopt;
  entry.only({"priority", "not", "from", "to", "family", "iif", "oif", "fwmark", "tos",
              "ipProtocol", "sourcePorts", "destinationPorts", "uidRange", "action", "table",
              "goto", "suppressPrefixLength"});
  Rule rule;
  const bool has_priority = read_priority(entry, rule);
  bool good = read_addresses(entry, rule) && has_priority;
  good &= read_conditions(entry, rule);
  good &= read_action(entry, rule);
  if (!good) return std::nullopt;
  if (rule.goto_priority && *rule.goto_priority <= rule.priority) {
    entry.find("goto")->error(Code::invalid_rule, "`goto` leads to a higher priority only");
    return std::nullopt;
  }
  return rule;
}

boost::json::value to_spec(const Rule& rule) {
  boost::json::object out;
  out["priority"] = rule.priority;
  if (rule.invert) out["not"] = true;
  if (rule.from) out["from"] = format(*rule.from);
  if (rule.to) out["to"] = format(*rule.to);
  if (rule.family == Family::inet6 && !rule.from && !rule.to) out["family"] = format(rule.family);
  if (rule.tos != 0) out["tos"] = rule.tos;
  if (rule.fwmark) out["fwmark"] = detail::format_fwmark(rule);
  if (rule.iif) out["iif"] = *rule.iif;
  if (rule.oif) out["oif"] = *rule.oif;
  if (rule.ip_protocol) {
    const std::string name = detail::format_ip_protocol(*rule.ip_protocol);
    if (detail::parse_ip_protocol(name)) {
      out["ipProtocol"] = name;
    } else {
      out["ipProtocol"] = *rule.ip_protocol;
    }
  }
  if (rule.source_ports) out["sourcePorts"] = detail::format_range(*rule.source_ports);
  if (rule.destination_ports)
    out["destinationPorts"] = detail::format_range(*rule.destination_ports);
  if (rule.uids) out["uidRange"] = detail::format_range(*rule.uids);
  if (rule.table) out["table"] = detail::table_value(*rule.table);
  if (rule.goto_priority) out["goto"] = *rule.goto_priority;
  if (rule.action != RuleAction::table && rule.action != RuleAction::goto_priority) {
    out["action"] = format(rule.action);
  }
  if (rule.suppress_prefix_length) out["suppressPrefixLength"] = *rule.suppress_prefix_length;
  return out;
}

}  // namespace plumbline
