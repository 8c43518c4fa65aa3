// The tables and their built-in chains, as iptables-nft and ebtables-nft make them. A base chain of
// another hook or priority makes them refuse the table ("incompatible").

#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>

#include <algorithm>
#include <array>

#include "plumbline/firewall/bytes/iptables_tables.hpp"
#include "plumbline/firewall/bytes/nftables.hpp"

namespace plumbline::firewall {

namespace {

struct BuiltIn {
  std::string_view table;
  std::string_view name;
  std::string_view type;
  std::uint32_t hook;
  std::int32_t priority;
};

/// xtables_ipv4 in iptables/nft.c, which is for IPv6 as well.
constexpr std::array<BuiltIn, 17> of_ip{{
    {"raw", "PREROUTING", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW},
    {"raw", "OUTPUT", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_RAW},
    {"mangle", "PREROUTING", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_MANGLE},
    {"mangle", "INPUT", "filter", NF_INET_LOCAL_IN, NF_IP_PRI_MANGLE},
    {"mangle", "FORWARD", "filter", NF_INET_FORWARD, NF_IP_PRI_MANGLE},
    {"mangle", "OUTPUT", "route", NF_INET_LOCAL_OUT, NF_IP_PRI_MANGLE},
    {"mangle", "POSTROUTING", "filter", NF_INET_POST_ROUTING, NF_IP_PRI_MANGLE},
    {"filter", "INPUT", "filter", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER},
    {"filter", "FORWARD", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER},
    {"filter", "OUTPUT", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_FILTER},
    {"security", "INPUT", "filter", NF_INET_LOCAL_IN, 150},
    {"security", "FORWARD", "filter", NF_INET_FORWARD, 150},
    {"security", "OUTPUT", "filter", NF_INET_LOCAL_OUT, 150},
    {"nat", "PREROUTING", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST},
    {"nat", "INPUT", "nat", NF_INET_LOCAL_IN, NF_IP_PRI_NAT_SRC},
    {"nat", "OUTPUT", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST},
    {"nat", "POSTROUTING", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC},
}};

/// xtables_bridge in iptables/nft-bridge.c.
constexpr std::array<BuiltIn, 6> of_bridge{{
    {"filter", "INPUT", "filter", NF_BR_LOCAL_IN, NF_BR_PRI_FILTER_BRIDGED},
    {"filter", "FORWARD", "filter", NF_BR_FORWARD, NF_BR_PRI_FILTER_BRIDGED},
    {"filter", "OUTPUT", "filter", NF_BR_LOCAL_OUT, NF_BR_PRI_FILTER_BRIDGED},
    {"nat", "PREROUTING", "filter", NF_BR_PRE_ROUTING, NF_BR_PRI_NAT_DST_BRIDGED},
    {"nat", "OUTPUT", "filter", NF_BR_LOCAL_OUT, NF_BR_PRI_NAT_DST_OTHER},
    {"nat", "POSTROUTING", "filter", NF_BR_POST_ROUTING, NF_BR_PRI_NAT_SRC},
}};

constexpr std::array<std::string_view, 5> tables_of_ip{"filter", "nat", "mangle", "raw",
                                                       "security"};
constexpr std::array<std::string_view, 2> tables_of_bridge{"filter", "nat"};

std::span<const BuiltIn> chains_of(Family family) {
  return family == Family::bridge ? std::span<const BuiltIn>(of_bridge) : of_ip;
}

}  // namespace

std::span<const std::string_view> tables_of(Family family) {
  return family == Family::bridge ? std::span<const std::string_view>(tables_of_bridge)
                                  : tables_of_ip;
}

bool is_iptables_table(Family family, std::string_view table) {
  return std::ranges::find(tables_of(family), table) != tables_of(family).end();
}

std::vector<std::string_view> builtin_chains(Family family, std::string_view table) {
  std::vector<std::string_view> names;
  for (const BuiltIn& chain : chains_of(family)) {
    if (chain.table == table) names.push_back(chain.name);
  }
  return names;
}

std::string_view program_word(Family family) {
  switch (family) {
    case Family::inet:
      return "iptables";
    case Family::inet6:
      return "ip6tables";
    case Family::bridge:
      return "ebtables";
  }
  return {};
}

std::string_view nft_word(Family family) {
  switch (family) {
    case Family::inet:
      return "ip";
    case Family::inet6:
      return "ip6";
    case Family::bridge:
      return "bridge";
  }
  return {};
}

bool is_table_of_iptables(std::string_view nft_family, std::string_view table) {
  if (nft_family == "arp") return table == "filter";
  if (nft_family == "bridge" && table == "broute") return true;
  for (const Family family : {Family::inet, Family::inet6, Family::bridge}) {
    if (nft_word(family) == nft_family) return is_iptables_table(family, table);
  }
  return false;
}

std::optional<Hook> builtin_hook(Family family, std::string_view table, std::string_view name) {
  const std::span<const BuiltIn> all = chains_of(family);
  const auto found = std::ranges::find_if(
      all, [&](const BuiltIn& chain) { return chain.table == table && chain.name == name; });
  if (found == all.end()) return std::nullopt;
  return Hook{std::string(found->type), found->hook, found->priority};
}

std::string format(const std::optional<Hook>& hook) {
  if (!hook) return "no hook";
  // NF_BR_… in linux/netfilter_bridge.h are the same numbers as NF_INET_….
  constexpr std::array<std::string_view, 6> hooks{"prerouting", "input",       "forward",
                                                  "output",     "postrouting", "ingress"};
  const std::string name =
      hook->number < hooks.size() ? std::string(hooks[hook->number]) : std::to_string(hook->number);
  return hook->type + " hook " + name + " priority " + std::to_string(hook->priority);
}

}  // namespace plumbline::firewall
