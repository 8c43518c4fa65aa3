// `firewall` of a network: three policies, each a default and rules.

#include <algorithm>
#include <array>
#include <charconv>

#include "network_decode.hpp"
#include "network_words.hpp"
#include "plumbline/base/number.hpp"

namespace plumbline::spec {

namespace {

using wire::Entry;

constexpr Code fault = Code::invalid_firewall_config;
constexpr std::size_t longest_comment = 200;

std::optional<PolicyAction> action_word(const Entry& entry) {
  const auto text = entry.string();
  if (!text) return std::nullopt;
  if (*text == "allow") return PolicyAction::allow;
  if (*text == "deny") return PolicyAction::deny;
  entry.error(fault, "an action is \"allow\" or \"deny\", not '" + *text + "'");
  return std::nullopt;
}

PolicyProtocol protocol_of(const Entry& rule) {
  const auto entry = rule.find("protocol");
  const auto text = entry ? entry->string() : std::nullopt;
  if (!text) return PolicyProtocol::all;
  for (const PolicyProtocol protocol :
       {PolicyProtocol::all, PolicyProtocol::tcp, PolicyProtocol::udp, PolicyProtocol::icmp}) {
    if (*text == format(protocol)) return protocol;
  }
  entry->error(fault, "a protocol is all, tcp, udp or icmp, not '" + *text + "'");
  return PolicyProtocol::all;
}

std::optional<Prefix> peer_of(const Entry& rule, std::string_view direction) {
  const auto entry = rule.find(direction);
  const auto text = entry ? entry->string() : std::nullopt;
  if (!text) return std::nullopt;
  auto prefix = masked_ipv4(*text);
  if (!prefix) entry->error(fault, "expected an IPv4 address or prefix, not '" + *text + "'");
  return prefix;
}

std::string comment_of(const Entry& rule) {
  const auto entry = rule.find("comment");
  auto text = entry ? entry->string() : std::nullopt;
  if (!text) return {};
  if (text->size() > longest_comment) {
    entry->error(fault, "a comment has at most " + std::to_string(longest_comment) +
                            " bytes, this one has " + std::to_string(text->size()));
  }
  if (escaped(*text) != *text) entry->error(fault, "a comment has no control characters");
  return *std::move(text);
}

// ---- ports --------------------------------------------------------------------------------------

std::optional<PortRange> range_word(const Entry& entry, std::string_view text) {
  const auto dash = text.find('-');
  if (dash != text.npos) {
    const auto first = parse_number<std::uint16_t>(text.substr(0, dash));
    const auto last = parse_number<std::uint16_t>(text.substr(dash + 1));
    const bool decimal = text.find_first_of("xX") == text.npos;
    if (first && last && decimal && *first >= 1 && *first <= *last) return PortRange{*first, *last};
  }
  entry.error(fault, "expected a port from 1 to 65535, or a range as \"8000-8080\", not '" +
                         std::string(text) + "'");
  return std::nullopt;
}

std::optional<PortRange> port_word(const Entry& entry) {
  if (const auto* const text = entry.node().get<std::string>()) return range_word(entry, *text);
  const auto port = entry.integer(1, UINT16_MAX);
  if (!port) return std::nullopt;
  const auto number = static_cast<std::uint16_t>(*port);
  return PortRange{number, number};
}

std::vector<PortRange> ports_of(const Entry& rule, PolicyProtocol protocol) {
  const auto entry = rule.find("ports");
  if (!entry) return {};
  std::vector<PortRange> ports;
  if (const auto* const list = entry->node().get<wire::Array>()) {
    if (list->empty()) entry->error(fault, "a list of ports is not empty");
    entry->for_each_element([&](const Entry& element) {
      if (const auto range = port_word(element)) ports.push_back(*range);
    });
  } else if (const auto range = port_word(*entry)) {
    ports.push_back(*range);
  }
  if (protocol != PolicyProtocol::tcp && protocol != PolicyProtocol::udp) {
    entry->error(fault, "ports need \"protocol\": \"tcp\" or \"udp\"");
  }
  return ports;
}

// ---- policies -----------------------------------------------------------------------------------

void add_rule(const Entry& entry, std::string_view direction, std::vector<PolicyRule>& rules) {
  entry.only({"action", direction, "protocol", "ports", "comment"});
  const auto action = entry.require("action");
  PolicyRule rule;
  rule.action = action ? action_word(*action).value_or(PolicyAction::deny) : PolicyAction::deny;
  rule.peer = peer_of(entry, direction);
  rule.protocol = protocol_of(entry);
  rule.ports = ports_of(entry, rule.protocol);
  rule.comment = comment_of(entry);
  rule.origin = entry.origin();
  rules.push_back(std::move(rule));
}

std::optional<Policy> policy_of(const Entry& firewall, std::string_view name,
                                std::string_view direction, PolicyAction by_default) {
  const auto entry = firewall.find(name);
  if (!entry || !entry->is_object()) return std::nullopt;
  if (name == "egress") {
    entry->only({"defaultAction", "rules", "allowTarget"});
  } else {
    entry->only({"defaultAction", "rules"});
  }
  Policy policy;
  policy.default_action = by_default;
  policy.origin = entry->origin();
  if (const auto action = entry->find("defaultAction")) {
    policy.default_action = action_word(*action).value_or(by_default);
  }
  if (const auto rules = entry->find("rules")) {
    rules->for_each_element([&](const Entry& rule) { add_rule(rule, direction, policy.rules); });
  }
  return policy;
}

}  // namespace

NetworkFirewall decode_firewall(const Entry& entry, const NetworkReading& reading) {
  const SectionCode section(reading.diagnostics, fault);
  entry.only({"egress", "ingress", "host"});
  NetworkFirewall firewall;
  firewall.egress = policy_of(entry, "egress", "to", PolicyAction::allow);
  const bool filters = firewall.egress.has_value();
  firewall.ingress =
      policy_of(entry, "ingress", "from", filters ? PolicyAction::deny : PolicyAction::allow);
  firewall.host = policy_of(entry, "host", "to", PolicyAction::allow);
  if (const auto egress = entry.find("egress")) {
    read_choice<AllowTarget>(*egress, "allowTarget", fault, {"ACCEPT", AllowTarget::accept},
                             {"RETURN", AllowTarget::leave}, firewall.allow_target);
  }
  return firewall;
}

}  // namespace plumbline::spec
