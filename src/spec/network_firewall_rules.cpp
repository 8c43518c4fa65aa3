// The chains of a network, and the rules that lead to them.
//
// In shared chains what holds traffic back stands before what lets it through, for all networks
// together, as a packet between two networks is in the hands of both.

#include <algorithm>
#include <array>
#include <iterator>

#include "network_flows.hpp"
#include "network_policy.hpp"
#include "network_resources.hpp"

namespace plumbline::spec {

namespace {

using Line = NetworkResources::Line;
using PlacedRule = NetworkResources::PlacedRule;

void append(std::vector<PlacedRule>& rules, std::vector<PlacedRule> more) {
  std::ranges::move(more, std::back_inserter(rules));
}

class NetworkFirewallRules {
 public:
  NetworkFirewallRules(const NetworkShape& shape, NetworkResources& resources)
      : shape_(shape), network_(shape.network()), resources_(resources) {
    bridge_ = format(network_.bridge);
  }

  void add() {
    if (network_.ipv6 == GuestIpv6::block) block_ipv6();
    add_error_guard(shape_, resources_);
    make_whole();
    if (shape_.tunnel) guard_tunnel();
    host_policy();
    forward();
    egress_policy();
    ingress_policy();
    if (network_.nat) masquerade();
  }

 private:
  static constexpr const char* filter = "filter";
  static constexpr const char* mangle = "mangle";

  void insert(Family family, const char* table, const char* chain, Line line, std::string rule) {
    resources_.insert(family, table, chain, line, std::move(rule), network_.origin,
                      network_.bridge);
  }
  void forward(const char* table, Line line, std::string rule) {
    insert(Family::inet, table, "FORWARD", line, std::move(rule));
  }
  /// The rules of a policy on where guests go, in a chain of that name, and in one beside it those
  /// for errors. `rest` is for what they do not tell, and may be nothing.
  void outward_policy(const std::string& name, const Policy& policy, const std::string& allow,
                      const std::string& rest);
  void chain(const char* table, std::string name, const std::vector<PlacedRule>& rules,
             const Origin& origin) {
    resources_.add_chain(Family::inet, table, std::move(name), rules, origin, network_.bridge);
  }
  [[nodiscard]] PlacedRule placed(std::string rule) const {
    return {std::move(rule), network_.origin};
  }
  [[nodiscard]] std::string from_guests() const { return "-i " + bridge_; }
  [[nodiscard]] std::string to_guests() const { return "-o " + bridge_ + " ! -i " + bridge_; }

  void block_ipv6();
  void make_whole();
  void guard_tunnel();
  void limit_segments(const NetworkShape::Tunnel& tunnel);
  void host_policy();
  void forward();
  void egress_policy();
  void ingress_policy();
  void masquerade();

  /// Where guests may go although nothing else may be left by, each followed by `verdict`.
  [[nodiscard]] std::vector<PlacedRule> ways_out(const std::string& verdict) const;

  const NetworkShape& shape_;
  const Network& network_;
  NetworkResources& resources_;
  std::string bridge_;
};

/// A frame from guest to guest passes ip6tables as well where bridge-nf-call-ip6tables is on.
void NetworkFirewallRules::block_ipv6() {
  const std::string leaving = from_guests() + " ! -o " + bridge_ + " -j DROP";
  insert(Family::inet6, filter, "FORWARD", Line::from_guests, leaving);
  insert(Family::inet6, filter, "FORWARD", Line::to_guests, to_guests() + " -j DROP");
  insert(Family::inet6, filter, "INPUT", Line::only, from_guests() + " -j DROP");
}

/// A guest may leave a checksum to be written by whoever sends the packet on, at the place that it
/// names: anywhere behind the first bytes of the IP header, so that an allowed port could become a
/// denied one behind all rules. So it is written before `filter` judges. Not before INPUT: the host
/// itself writes none, and the addresses and ports that were judged are those that it sees. What
/// the guest made of the addresses is dropped by the next to look, as the header's own checksum is
/// wrong then. Of a large packet that is cut later the kernel knows the place (xt_CHECKSUM.c).
/// What became an ICMP error by it has not passed the guard against those.
void NetworkFirewallRules::make_whole() {
  // ldb [20]; jeq #3, #4, #5, #11 or #12: ret #1, or else ret #0. No guest's packet has IP options.
  constexpr const char* error =
      " -p icmp -m conntrack --ctstate NEW,ESTABLISHED -m bpf --bytecode \"8,48 0 0 20,21 5 0 3,"
      "21 4 0 4,21 3 0 5,21 2 0 11,21 1 0 12,6 0 0 0,6 0 0 1\" -j DROP";
  forward(mangle, Line::only, from_guests() + " -j CHECKSUM --checksum-fill");
  forward(mangle, Line::only, from_guests() + error);
}

std::vector<PlacedRule> NetworkFirewallRules::ways_out(const std::string& verdict) const {
  std::vector<PlacedRule> rules;
  rules.push_back(placed("-o " + format(shape_.tunnel->interface) + verdict));
  for (const NetworkShape::Direct& direct : shape_.direct) {
    rules.push_back(
        placed("-d " + format(direct.network) + " -o " + format(direct.link) + verdict));
  }
  return rules;
}

/// In mangle as well as in filter, so that somebody else's ACCEPT, or a flushed table, opens
/// nothing.
void NetworkFirewallRules::guard_tunnel() {
  if (shape_.is_guarded()) {
    forward(mangle, Line::from_guests, from_guests() + " -j " + shape_.chain);
    std::vector<PlacedRule> rules{placed("-o " + bridge_ + " -j RETURN")};
    for (PlacedRule& rule : ways_out(" -j RETURN")) rules.push_back(std::move(rule));
    rules.push_back(placed("-j DROP"));
    chain(mangle, shape_.chain, rules, network_.wireguard->origin);
  }
  limit_segments(*shape_.tunnel);
}

/// Both ways: the path MTU that clamping goes by is that of the way out, so that it misses the
/// answer of the far end. TCPMSS only ever makes the size smaller (net/netfilter/xt_TCPMSS.c).
void NetworkFirewallRules::limit_segments(const NetworkShape::Tunnel& tunnel) {
  constexpr std::uint32_t headers = 40;  // of IPv4 and TCP
  if (!tunnel.mtu || *tunnel.mtu <= headers) return;
  const std::string name = format(tunnel.interface);
  const std::string limit = " -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss " +
                            std::to_string(*tunnel.mtu - headers);
  forward(mangle, Line::only, "-i " + bridge_ + " -o " + name + limit);
  forward(mangle, Line::only, "-i " + name + " -o " + bridge_ + limit);
}

void NetworkFirewallRules::outward_policy(const std::string& name, const Policy& policy,
                                          const std::string& allow, const std::string& rest) {
  std::vector<PlacedRule> rules{placed(answers_of(network_) + " -j ACCEPT")};
  std::vector<PlacedRule> errors = policy_for_errors(policy, {allow, "DROP"});
  const bool has_errors = !errors.empty();
  if (has_errors) {
    rules.push_back(placed("-p icmp -m conntrack --ctstate RELATED -g " + name + "-ERR"));
  }
  append(rules, policy_rules(policy, 'd', {allow, "DROP"}));
  if (!rest.empty()) {
    rules.push_back({"-j " + rest, policy.origin});
    errors.push_back(rules.back());
  }
  chain(filter, name, rules, policy.origin);
  if (has_errors) chain(filter, name + "-ERR", errors, policy.origin);
}

/// What is let through by default is left to the rules that follow: what guests may not do is said
/// here, what others may not is the host's own business.
void NetworkFirewallRules::host_policy() {
  if (!network_.firewall.host) return;
  const std::string name = shape_.chain + "-HOST";
  insert(Family::inet, filter, "INPUT", Line::only, from_guests() + " -j " + name);
  const Policy& policy = *network_.firewall.host;
  const bool denies = policy.default_action == PolicyAction::deny;
  outward_policy(name, policy, "ACCEPT", denies ? "DROP" : "");
}

bool filters_inbound(const NetworkFirewall& firewall) {
  return firewall.ingress.has_value() || firewall.egress.has_value();
}

void NetworkFirewallRules::forward() {
  if (filters_inbound(network_.firewall)) {
    // While there is no bridge such a packet would go elsewhere, and begin a flow on its way.
    forward(filter, Line::to_guests,
            "-d " + format(network_.subnet) + " ! -o " + bridge_ + " -j DROP");
    forward(filter, Line::to_guests, to_guests() + " -j " + shape_.chain + "-IN");
  }
  forward(filter, Line::from_guests, from_guests() + " -j " + shape_.chain);
  for (const std::string& flow : {answers_to(network_), errors_about_answers_of(network_)}) {
    forward(filter, Line::replies, to_guests() + " " + flow + " -j ACCEPT");
  }
  if (network_.firewall.ingress) forward(filter, Line::inbound, to_guests() + " -j ACCEPT");
}

void NetworkFirewallRules::egress_policy() {
  const std::string rest = shape_.chain + "-R";
  std::vector<PlacedRule> rules{
      placed("-o " + bridge_ + (network_.isolation ? " -j DROP" : " -j ACCEPT"))};
  if (shape_.is_guarded()) {
    append(rules, ways_out(" -g " + rest));
    rules.push_back(placed("-j DROP"));
  } else {
    rules.push_back(placed("-g " + rest));
  }
  chain(filter, shape_.chain, rules, network_.origin);

  const std::string allow =
      network_.firewall.allow_target == AllowTarget::leave ? "RETURN" : "ACCEPT";
  const Policy none{.default_action = PolicyAction::allow, .rules = {}, .origin = network_.origin};
  const Policy& policy = network_.firewall.egress ? *network_.firewall.egress : none;
  const bool denies = policy.default_action == PolicyAction::deny;
  outward_policy(rest, policy, allow, denies ? "DROP" : allow);
}

/// New connections of others: what passes is left to the line of `inbound`, or to whoever comes
/// behind it. A port forward was let in by who made it.
void NetworkFirewallRules::ingress_policy() {
  if (!filters_inbound(network_.firewall)) return;
  const Policy closed{
      .default_action = PolicyAction::deny,
      .rules = {},
      .origin = network_.firewall.egress ? network_.firewall.egress->origin : network_.origin};
  const Policy& policy = network_.firewall.ingress ? *network_.firewall.ingress : closed;
  std::vector<PlacedRule> rules{placed(answers_to(network_) + " -j RETURN"),
                                placed(errors_about_answers_of(network_) + " -j RETURN")};
  append(rules, policy_rules(policy, 's', {"RETURN", "DROP"}));
  if (policy.default_action == PolicyAction::deny) {
    rules.push_back({"-m conntrack --ctstate DNAT -j RETURN", policy.origin});
    rules.push_back({"-j DROP", policy.origin});
  }
  chain(filter, shape_.chain + "-IN", rules, policy.origin);
}

/// Names no way out, so that it holds when the default route moves, or there are several.
void NetworkFirewallRules::masquerade() {
  const std::string subnet = format(network_.subnet);
  insert(Family::inet, "nat", "POSTROUTING", Line::only,
         "-s " + subnet + " ! -d " + subnet + " ! -o " + bridge_ + " -j MASQUERADE");
}

}  // namespace

void add_firewall(const NetworkShape& shape, NetworkResources& resources) {
  NetworkFirewallRules(shape, resources).add();
}

}  // namespace plumbline::spec
