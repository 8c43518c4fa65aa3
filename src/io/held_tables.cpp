#include "plumbline/io/held_tables.hpp"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "plumbline/firewall/bytes/iptables_tables.hpp"
#include "plumbline/firewall/bytes/nftables.hpp"
#include "plumbline/io/host.hpp"
#include "plumbline/wire/netlink.hpp"

namespace plumbline::io {

namespace {

using Names = std::pair<std::string, std::string>;  // of the family and of the table
using Tables = std::map<Names, HeldTable>;

wire::Bytes question(unsigned operation) {
  wire::MessageBuilder built(
      static_cast<std::uint16_t>(static_cast<unsigned>(NFNL_SUBSYS_NFTABLES) << 8U | operation), 0);
  built.header(nfgenmsg{AF_UNSPEC, NFNETLINK_V0, 0});
  return std::move(built).finish();
}

std::string family_word(std::uint8_t family) {
  switch (family) {
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_BRIDGE:
      return "bridge";
    case NFPROTO_ARP:
      return "arp";
    case NFPROTO_NETDEV:
      return "netdev";
    default:
      return std::to_string(family);
  }
}

/// Attributes of one object of nf_tables by their number.
using Visit = std::function<void(const std::string& family, const wire::Message& message)>;

void dump(NetlinkSocket& nfnetlink, unsigned operation, const Visit& visit) {
  const wire::Reply reply = nfnetlink.dump(question(operation));
  if (reply.error != 0) give_up("cannot look into nf_tables", reply.error);
  wire::for_each_message(reply.bytes, [&](const wire::Message& message) {
    visit(family_word(message.fixed<nfgenmsg>().nfgen_family), message);
  });
}

/// Made by iptables itself; every other expression makes it call the table incompatible, or shows
/// the rule without it (nft_is_expr_compatible() in iptables/nft.c).
constexpr std::array<std::string_view, 11> known_expressions{
    "match",     "target", "payload", "meta", "cmp",  "bitwise",
    "immediate", "range",  "counter", "log",  "limit"};

std::vector<std::string> unknown_expressions(const wire::Attribute& expressions, bool of_bridge) {
  std::vector<std::string> unknown;
  wire::for_each_attribute(expressions.payload(), [&](const wire::Attribute& element) {
    wire::for_each_attribute(element.payload(), [&](const wire::Attribute& part) {
      if (part.type() != NFTA_EXPR_NAME) return;
      std::string name(part.string());
      // `among` of ebtables
      if (of_bridge && name == "lookup") return;
      if (std::ranges::find(known_expressions, name) == known_expressions.end() &&
          std::ranges::find(unknown, name) == unknown.end()) {
        unknown.push_back(std::move(name));
      }
    });
  });
  return unknown;
}

void take_table(Tables& tables, const std::string& family, const wire::Message& message) {
  HeldTable table;
  table.family = family;
  message.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
    if (attribute.type() == NFTA_TABLE_NAME) table.name = attribute.string();
    if (attribute.type() == NFTA_TABLE_FLAGS) {
      table.dormant = (ntohl(attribute.u32()) & NFT_TABLE_F_DORMANT) != 0;
    }
  });
  tables.emplace(Names(family, table.name), std::move(table));
}

void take_chain(Tables& tables, const std::string& family, const wire::Message& message) {
  std::string table;
  bool at_hook = false;
  std::uint32_t policy = NF_ACCEPT;
  message.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
    if (attribute.type() == NFTA_CHAIN_TABLE) table = attribute.string();
    if (attribute.type() == NFTA_CHAIN_HOOK) at_hook = true;
    if (attribute.type() == NFTA_CHAIN_POLICY) policy = ntohl(attribute.u32());
  });
  const auto found = tables.find({family, table});
  if (found == tables.end()) return;
  ++(at_hook ? found->second.hooks : found->second.chains);
  if (policy != NF_ACCEPT) ++found->second.policies;
}

/// Where built-in chains of iptables and ebtables are.
void take_places(NetlinkSocket& nfnetlink, Tables& tables) {
  const wire::Reply reply = nfnetlink.dump(firewall::chains_query());
  if (reply.error != 0) give_up("cannot look into nf_tables", reply.error);
  for (const firewall::DumpedChain& chain : firewall::read_chains(reply.bytes)) {
    const auto hook = firewall::builtin_hook(chain.family, chain.table, chain.name);
    const auto found = tables.find({std::string(firewall::nft_word(chain.family)), chain.table});
    if (!hook || chain.hook == hook || found == tables.end()) continue;
    found->second.misplaced.push_back(chain.name + " is at " + firewall::format(chain.hook) +
                                      ", not at " + firewall::format(hook));
  }
}

void take_rule(Tables& tables, const std::string& family, const wire::Message& message) {
  std::string table;
  std::string chain;
  std::string handle;
  std::vector<std::string> unknown;
  message.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
    if (attribute.type() == NFTA_RULE_TABLE) table = attribute.string();
    if (attribute.type() == NFTA_RULE_CHAIN) chain = attribute.string();
    if (attribute.type() == NFTA_RULE_HANDLE) {
      handle = std::to_string(be64toh(attribute.read<std::uint64_t>()));
    }
    if (attribute.type() == NFTA_RULE_EXPRESSIONS) {
      unknown = unknown_expressions(attribute, family == "bridge");
    }
  });
  const auto found = tables.find({family, table});
  if (found == tables.end()) return;
  ++found->second.rules;
  if (!firewall::is_table_of_iptables(family, table)) return;
  for (const std::string& name : unknown) {
    found->second.unknown.push_back(name + " in chain " + chain + ", handle " + handle);
  }
}

std::string counted(std::size_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

}  // namespace

std::vector<HeldTable> nft_tables(NetlinkSocket& nfnetlink) {
  Tables found;
  const auto take_by = [&found](auto take) {
    return [&found, take](const std::string& family, const wire::Message& message) {
      take(found, family, message);
    };
  };
  dump(nfnetlink, NFT_MSG_GETTABLE, take_by(take_table));
  if (found.empty()) return {};
  dump(nfnetlink, NFT_MSG_GETCHAIN, take_by(take_chain));
  dump(nfnetlink, NFT_MSG_GETRULE, take_by(take_rule));
  take_places(nfnetlink, found);
  std::vector<HeldTable> tables;
  for (auto& [names, table] : found) tables.push_back(std::move(table));
  return tables;
}

std::uint32_t nft_generation(NetlinkSocket& nfnetlink) {
  const wire::Reply reply = nfnetlink.get(firewall::generation_query());
  if (reply.error != 0) give_up("cannot read the generation of nf_tables", reply.error);
  return firewall::read_generation(reply.bytes);
}

std::string tell(const std::vector<HeldTable>& tables) {
  std::string text;
  for (const HeldTable& table : tables) {
    if (table.empty()) continue;
    std::string content;
    const auto add = [&](std::size_t count, const char* one, const char* many) {
      if (count != 0) content += (content.empty() ? "" : ", ") + counted(count, one, many);
    };
    add(table.rules, "rule", "rules");
    add(table.chains, "chain", "chains");
    add(table.policies, "policy", "policies");
    text += (text.empty() ? "" : ", ") + table.name + " (" + content + ")";
  }
  return text;
}

}  // namespace plumbline::io
