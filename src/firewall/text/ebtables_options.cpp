#include "ebtables_options.hpp"

#include <algorithm>
#include <array>

#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::firewall {

namespace {

using Takes = EbtablesOption::Takes;

/// ebt_original_options in iptables/xtables-eb.c and the tables of extensions/libebt_*.c. Left out:
/// commands; `-c`, `-v` and `--concurrent`, which say nothing about packets; and `among`, which is
/// a set of nf_tables and not a part of the rule.
constexpr std::array<EbtablesOption, 101> known_options{{
    {"i", "", Takes::interface},
    {"in-interface", "", Takes::interface},
    {"in-if", "", Takes::interface},
    {"o", "", Takes::interface},
    {"out-interface", "", Takes::interface},
    {"out-if", "", Takes::interface},
    {"logical-in", "", Takes::interface},
    {"logical-out", "", Takes::interface},
    {"j", "", Takes::target},
    {"jump", "", Takes::target},
    {"p", ""},
    {"proto", ""},
    {"protocol", ""},
    {"s", ""},
    {"source", ""},
    {"src", ""},
    {"d", ""},
    {"destination", ""},
    {"dst", ""},
    {"802_3-sap", "802_3"},
    {"802_3-type", "802_3"},
    {"arp-opcode", "arp"},
    {"arp-op", "arp"},
    {"arp-htype", "arp"},
    {"arp-ptype", "arp"},
    {"arp-ip-src", "arp", Takes::address},
    {"arp-ip-dst", "arp", Takes::address},
    {"arp-mac-src", "arp"},
    {"arp-mac-dst", "arp"},
    {"arp-gratuitous", "arp", Takes::nothing},
    {"ip-source", "ip", Takes::address},
    {"ip-src", "ip", Takes::address},
    {"ip-destination", "ip", Takes::address},
    {"ip-dst", "ip", Takes::address},
    {"ip-tos", "ip"},
    {"ip-protocol", "ip"},
    {"ip-proto", "ip"},
    {"ip-source-port", "ip"},
    {"ip-sport", "ip"},
    {"ip-destination-port", "ip"},
    {"ip-dport", "ip"},
    {"ip-icmp-type", "ip"},
    {"ip-igmp-type", "ip"},
    {"ip6-source", "ip6", Takes::address},
    {"ip6-src", "ip6", Takes::address},
    {"ip6-destination", "ip6", Takes::address},
    {"ip6-dst", "ip6", Takes::address},
    {"ip6-tclass", "ip6"},
    {"ip6-protocol", "ip6"},
    {"ip6-proto", "ip6"},
    {"ip6-source-port", "ip6"},
    {"ip6-sport", "ip6"},
    {"ip6-destination-port", "ip6"},
    {"ip6-dport", "ip6"},
    {"ip6-icmp-type", "ip6"},
    {"limit", "limit"},
    {"limit-burst", "limit"},
    {"log", "log", Takes::nothing},
    {"log-level", "log"},
    {"log-prefix", "log", Takes::prefix},
    {"log-ip", "log", Takes::nothing},
    {"log-arp", "log", Takes::nothing},
    {"log-ip6", "log", Takes::nothing},
    {"mark", "mark"},
    {"nflog", "nflog", Takes::nothing},
    {"nflog-group", "nflog"},
    {"nflog-prefix", "nflog", Takes::prefix},
    {"nflog-range", "nflog"},
    {"nflog-threshold", "nflog"},
    {"pkttype-type", "pkttype"},
    {"stp-type", "stp"},
    {"stp-flags", "stp"},
    {"stp-root-prio", "stp"},
    {"stp-root-addr", "stp"},
    {"stp-root-cost", "stp"},
    {"stp-sender-prio", "stp"},
    {"stp-sender-addr", "stp"},
    {"stp-port", "stp"},
    {"stp-msg-age", "stp"},
    {"stp-max-age", "stp"},
    {"stp-hello-time", "stp"},
    {"stp-forward-delay", "stp"},
    {"vlan-id", "vlan"},
    {"vlan-prio", "vlan"},
    {"vlan-encap", "vlan"},
    // Of targets, where those that lead on name no chain.
    {"arpreply-mac", ""},
    {"arpreply-target", ""},
    {"to-destination", ""},
    {"to-dst", ""},
    {"dnat-target", ""},
    {"set-mark", ""},
    {"mark-set", ""},
    {"mark-or", ""},
    {"mark-and", ""},
    {"mark-xor", ""},
    {"mark-target", ""},
    {"redirect-target", ""},
    {"to-source", ""},
    {"to-src", ""},
    {"snat-target", ""},
    {"snat-arp", "", Takes::nothing},
}};

}  // namespace

const EbtablesOption* ebtables_option(std::string_view name) {
  const auto* const found = std::ranges::find(known_options, name, &EbtablesOption::name);
  return found == known_options.end() ? nullptr : found;
}

std::vector<std::string_view> ebtables_matches(const Options& options) {
  std::vector<std::string_view> matches;
  for (const RuleOption& option : options) {
    const EbtablesOption* known = ebtables_option(option.name);
    if (known == nullptr || known->match.empty()) continue;
    if (std::ranges::find(matches, known->match) == matches.end()) matches.push_back(known->match);
  }
  return matches;
}

}  // namespace plumbline::firewall
