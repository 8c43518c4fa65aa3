#include "plumbline/kinds/rule.hpp"

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
  if (rule.tos != 0) add("tos", hex(rule.tos));
  if (rule.fwmark) add("fwmark", format_fwmark(rule));
  if (rule.iif) add("iif", *rule.iif);
  if (rule.oif) add("oif", *rule.oif);
  if (rule.ip_protocol) add("ipproto", format_ip_protocol(*rule.ip_protocol));
  if (rule.source_ports) add("sport", format_range(*rule.source_ports));
  if (rule.destination_ports) add("dport", format_range(*rule.destination_ports));
  if (rule.uids) add("uidrange", format_range(*rule.uids));
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

/// Whether a request to delete that says `said` (or nothing) passes an object that has `has`.
template <class T>
bool passes(const std::optional<T>& said, const std::optional<T>& has) {
  return !said || said == has;
}

}  // namespace

bool removal_may_hit(const Rule& removed, const Rule& other) {
  const std::uint32_t mark = removed.fwmark.value_or(0);
  const std::uint32_t mask = removed.fwmask.value_or(0);
  const bool of_protocol = removed.protocol == 0 || removed.protocol == other.protocol;
  return removed.family == other.family && removed.priority == other.priority && of_protocol &&
         removed.action == other.action && passes(removed.table, other.table) &&
         passes(removed.from, other.from) && passes(removed.to, other.to) &&
         passes(removed.iif, other.iif) && passes(removed.oif, other.oif) &&
         (mark == 0 || other.fwmark == mark) && (mask == 0 || other.fwmask == mask) &&
         (removed.tos == 0 || removed.tos == other.tos) &&
         passes(removed.ip_protocol, other.ip_protocol) &&
         passes(removed.source_ports, other.source_ports) &&
         passes(removed.destination_ports, other.destination_ports) &&
         passes(removed.uids, other.uids) &&
         passes(removed.suppress_prefix_length, other.suppress_prefix_length);
}

}  // namespace plumbline
