#include "network_policy.hpp"

#include <array>

#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::spec {

namespace {

using PlacedRule = NetworkResources::PlacedRule;

/// Port lists are cut in parts of what the match `multiport` takes (XT_MULTI_PORTS): a range takes
/// two places.
constexpr std::size_t most_ports = 15;

std::string format(const PortRange& range) {
  std::string text = std::to_string(range.first);
  if (range.last != range.first) text += ":" + std::to_string(range.last);
  return text;
}

/// The ports in as many matches as they need; one that says nothing for every port.
std::vector<std::string> port_matches(const std::vector<PortRange>& ports) {
  if (ports.empty()) return {""};
  if (ports.size() == 1) return {"--dport " + format(ports.front()) + " "};
  std::vector<std::string> matches;
  std::size_t room = 0;
  for (const PortRange& range : ports) {
    const std::size_t places = range.first == range.last ? 1 : 2;
    const bool fits = places <= room;
    if (!fits) matches.emplace_back("-m multiport --dports ");
    matches.back() += (fits ? "," : "") + format(range);
    room = (fits ? room : most_ports) - places;
  }
  for (std::string& match : matches) match += " ";
  return matches;
}

/// What follows the matches of a rule.
std::string end_of(const PolicyRule& rule, const std::string& verdict) {
  std::string end;
  if (!rule.comment.empty()) {
    const std::array<std::string, 4> comment{"-m", "comment", "--comment", rule.comment};
    end = firewall::join_words(comment) + " ";
  }
  return end + "-j " + verdict;
}

std::vector<std::string> packet_matches(const PolicyRule& rule, char direction) {
  std::string start;
  if (rule.peer) start = std::string("-") + direction + " " + format(*rule.peer) + " ";
  if (rule.protocol != PolicyProtocol::all) {
    start += "-p " + std::string(format(rule.protocol)) + " ";
  }
  std::vector<std::string> matches;
  for (const std::string& ports : port_matches(rule.ports)) matches.push_back(start + ports);
  return matches;
}

/// Who answers is who the flow was led to in the end.
std::vector<std::string> flow_matches(const PolicyRule& rule) {
  std::string start;
  if (rule.protocol != PolicyProtocol::all) {
    start = " --ctproto " + std::string(format(rule.protocol));
  }
  if (rule.peer) start += " --ctreplsrc " + format(*rule.peer);
  if (start.empty()) return {""};
  start = "-m conntrack" + start + " ";
  if (rule.ports.empty()) return {start};
  std::vector<std::string> matches;
  for (const PortRange& range : rule.ports) {
    matches.push_back(start + "--ctreplsrcport " + format(range) + " ");
  }
  return matches;
}

template <class Matches>
std::vector<PlacedRule> rules_of(const Policy& policy, const Verdicts& verdicts, Matches matches) {
  std::vector<PlacedRule> rules;
  for (const PolicyRule& rule : policy.rules) {
    const bool allows = rule.action == PolicyAction::allow;
    const std::string end = end_of(rule, allows ? verdicts.allow : verdicts.deny);
    for (const std::string& match : matches(rule)) rules.push_back({match + end, rule.origin});
  }
  return rules;
}

}  // namespace

std::vector<PlacedRule> policy_rules(const Policy& policy, char direction,
                                     const Verdicts& verdicts) {
  return rules_of(policy, verdicts,
                  [&](const PolicyRule& rule) { return packet_matches(rule, direction); });
}

std::vector<PlacedRule> policy_for_errors(const Policy& policy, const Verdicts& verdicts) {
  return rules_of(policy, verdicts, flow_matches);
}

}  // namespace plumbline::spec
