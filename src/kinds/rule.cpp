#include "plumbline/kinds/rule.hpp"

#include <bit>
#include <boost/json.hpp>

#include "rule_words.hpp"
#include "spec_words.hpp"

namespace plumbline {

std::string_view format(RuleAction action) {
  switch (action) {
    case RuleAction::table:
      return "table";
    case RuleAction::goto_priority:
      return "goto";
    case RuleAction::nop:
      return "nop";
    case RuleAction::blackhole:
      return "blackhole";
    case RuleAction::unreachable:
      return "unreachable";
    case RuleAction::prohibit:
      return "prohibit";
  }
  return "table";
}

Rule::Key key(const Rule& rule) { return {rule}; }

std::string format(const Rule::Key& key) {
  const Rule& rule = key.rule;
  std::string text = "rule " + std::string(format(rule.family)) + ' ';
  text += std::to_string(rule.priority);
  const auto add = [&](std::string_view word, const std::string& value) {
    text += ' ';
    text += word;
    text += ' ' + value;
  };
  if (rule.invert) text += " not";
  if (rule.from) add("from", format(*rule.from));
  if (rule.to) add("to", format(*rule.to));
  if (rule.tos != 0) add("tos", detail::hex(rule.tos));
  if (rule.fwmark) add("fwmark", detail::format_fwmark(rule));
  if (rule.iif) add("iif", *rule.iif);
  if (rule.oif) add("oif", *rule.oif);
  if (rule.ip_protocol) add("ipproto", detail::format_ip_protocol(*rule.ip_protocol));
  if (rule.source_ports) add("sport", detail::format_range(*rule.source_ports));
  if (rule.destination_ports) add("dport", detail::format_range(*rule.destination_ports));
  if (rule.uids) add("uidrange", detail::format_range(*rule.uids));
  if (rule.action == RuleAction::table) {
    if (rule.table) add("table", format(*rule.table));
  } else if (rule.goto_priority) {
    add("goto", std::to_string(*rule.goto_priority));
  } else {
    text += ' ';
    text += format(rule.action);
  }
  if (rule.suppress_prefix_length) {
    add("suppress_prefixlength", std::to_string(*rule.suppress_prefix_length));
  }
  return text;
}

/// Nothing: links are matched by name, a table may be empty, and a `goto` may wait for its target.
std::vector<Need> needs(const Rule&) { return {}; }

bool is_marked(const Rule& rule, const Mark& mark) { return rule.protocol == mark.protocol; }

Rule with_mark(Rule rule, const Mark& mark) {
  rule.protocol = mark.protocol;
  return rule;
}

Rule complete(Rule want, const Rule&) { return want; }

Transition transition(const Rule& have, const Rule& want) {
  if (have == want) return {};
  return {Change::replace, Disruption::sessions};
}

namespace {

/// Calls `visit(bit, field)` for each field of a rule that rule_find() compares where the request
/// says it: with the value that says nothing.
template <class R, class Visit>
void for_each_condition(R& rule, const Visit& visit) {
  unsigned bit = 0;
  const auto next = [&](auto& field, const auto& nothing) { visit(bit++, field, nothing); };
  next(rule.table, std::nullopt);
  next(rule.from, std::nullopt);
  next(rule.to, std::nullopt);
  next(rule.iif, std::nullopt);
  next(rule.oif, std::nullopt);
  next(rule.fwmark, std::nullopt);
  next(rule.fwmask, std::nullopt);
  next(rule.tos, std::uint8_t{0});
  next(rule.ip_protocol, std::nullopt);
  next(rule.source_ports, std::nullopt);
  next(rule.destination_ports, std::nullopt);
  next(rule.uids, std::nullopt);
  next(rule.suppress_prefix_length, std::nullopt);
  next(rule.protocol, std::uint8_t{0});
}

}  // namespace

std::uint32_t conditions_of(const Rule& rule) {
  std::uint32_t said = 0;
  for_each_condition(rule, [&](unsigned bit, const auto& field, const auto& nothing) {
    if (field != nothing) said |= std::uint32_t{1} << bit;
  });
  // A mark or a mask of 0 is not told from none.
  constexpr std::uint32_t mark_bit = std::uint32_t{1} << 5U;
  if (rule.fwmark.value_or(0) == 0) said &= ~mark_bit;
  if (rule.fwmask.value_or(0) == 0) said &= ~(mark_bit << 1U);
  return said;
}

Rule reduced(Rule rule, std::uint32_t conditions) {
  for_each_condition(rule, [&](unsigned bit, auto& field, const auto& nothing) {
    if ((conditions >> bit & 1U) == 0) field = nothing;
  });
  rule.invert = false;
  rule.goto_priority.reset();
  rule.has_more = false;
  return rule;
}

bool removal_may_hit(const Rule& removed, const Rule& other) {
  const std::uint32_t said = conditions_of(removed);
  return reduced(removed, said) == reduced(other, said);
}

bool is_made_before(const Rule::Key& key, const Rule::Key& other) {
  const Rule& one = key.rule;
  const Rule& two = other.rule;
  if (one.family == two.family && one.priority == two.priority) {
    const int more = std::popcount(conditions_of(one)) - std::popcount(conditions_of(two));
    if (more != 0) return more < 0;
  }
  return other < key;
}

}  // namespace plumbline
