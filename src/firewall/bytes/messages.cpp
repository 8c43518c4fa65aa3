// Questions to nf_tables, and what its answers say.

#include "messages.hpp"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <utility>

#include "expressions.hpp"
#include "family.hpp"
#include "plumbline/firewall/bytes/nftables.hpp"

namespace plumbline::firewall {

namespace {

wire::Bytes nft_dump(unsigned operation) {
  return std::move(netfilter_message(NFNL_SUBSYS_NFTABLES, operation, NLM_F_DUMP, NFPROTO_UNSPEC))
      .finish();
}

/// Calls `visit(family, message)` for the objects of our families.
template <class Visit>
void for_each_object(const wire::Bytes& answer, unsigned operation, const Visit& visit) {
  const auto each = [&](const wire::Message& message) {
    if (!is_netfilter_message(message, NFNL_SUBSYS_NFTABLES, operation)) return;
    if (const auto family = family_of(message.fixed<nfgenmsg>().nfgen_family)) {
      visit(*family, message);
    }
  };
  wire::for_each_message(answer, std::ref(each));
}

wire::Bytes copy_of(const wire::Attribute& attribute) {
  return {attribute.payload().begin(), attribute.payload().end()};
}

std::string policy_of(const wire::Attribute& attribute) {
  const std::uint32_t policy = big_endian_32(attribute);
  if (policy != NF_ACCEPT && policy != NF_DROP)
    throw wire::Malformed("a chain's policy is no verdict");
  return policy == NF_ACCEPT ? "ACCEPT" : "DROP";
}

/// The type is an attribute of the chain itself, before or after this one.
Hook& hook_of(DumpedChain& chain) {
  if (!chain.hook) chain.hook.emplace();
  return *chain.hook;
}

void read_hook(const wire::Attribute& attribute, Hook& hook) {
  wire::for_each_attribute(attribute.payload(), [&](const wire::Attribute& part) {
    if (part.type() == NFTA_HOOK_HOOKNUM) hook.number = big_endian_32(part);
    if (part.type() == NFTA_HOOK_PRIORITY) {
      hook.priority = static_cast<std::int32_t>(big_endian_32(part));
    }
  });
}

void read(const wire::Attribute& attribute, DumpedChain& chain) {
  switch (attribute.type()) {
    case NFTA_CHAIN_TABLE:
      chain.table = attribute.string();
      break;
    case NFTA_CHAIN_NAME:
      chain.name = attribute.string();
      break;
    case NFTA_CHAIN_HANDLE:
      chain.handle = big_endian_64(attribute);
      break;
    case NFTA_CHAIN_HOOK:
      read_hook(attribute, hook_of(chain));
      break;
    case NFTA_CHAIN_TYPE:
      hook_of(chain).type = attribute.string();
      break;
    case NFTA_CHAIN_POLICY:
      chain.policy = policy_of(attribute);
      break;
    case NFTA_CHAIN_USE:
      chain.uses = big_endian_32(attribute);
      break;
    case NFTA_CHAIN_USERDATA:
      chain.userdata = copy_of(attribute);
      break;
    default:
      break;
  }
}

void read(const wire::Attribute& attribute, DumpedRule& rule) {
  switch (attribute.type()) {
    case NFTA_RULE_TABLE:
      rule.table = attribute.string();
      break;
    case NFTA_RULE_CHAIN:
      rule.chain = attribute.string();
      break;
    case NFTA_RULE_HANDLE:
      rule.handle = big_endian_64(attribute);
      break;
    case NFTA_RULE_EXPRESSIONS:
      rule.expressions = copy_of(attribute);
      break;
    case NFTA_RULE_USERDATA:
      rule.userdata = copy_of(attribute);
      break;
    default:
      break;
  }
}

template <class Object>
std::vector<Object> read_objects(const wire::Bytes& answer, unsigned operation) {
  std::vector<Object> objects;
  const auto each = [&](Family family, const wire::Message& message) {
    Object& object = objects.emplace_back();
    object.family = family;
    const auto attribute = [&](const wire::Attribute& found) { read(found, object); };
    message.attributes<nfgenmsg>(std::ref(attribute));
  };
  for_each_object(answer, operation, each);
  return objects;
}

}  // namespace

wire::MessageBuilder netfilter_message(unsigned subsystem, unsigned operation, unsigned flags,
                                       std::uint8_t family) {
  wire::MessageBuilder message(static_cast<std::uint16_t>(subsystem << 8U | operation),
                               static_cast<std::uint16_t>(flags));
  message.header(nfgenmsg{family, NFNETLINK_V0, 0});
  return message;
}

bool is_netfilter_message(const wire::Message& message, unsigned subsystem, unsigned operation) {
  return message.type() == (subsystem << 8U | operation);
}

wire::Bytes generation_query() {
  return std::move(netfilter_message(NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN, 0, NFPROTO_UNSPEC))
      .finish();
}

wire::Bytes chains_query() { return nft_dump(NFT_MSG_GETCHAIN); }

wire::Bytes rules_query() { return nft_dump(NFT_MSG_GETRULE); }

wire::Bytes rules_query(Family family, std::string_view table, std::string_view chain) {
  auto message =
      netfilter_message(NFNL_SUBSYS_NFTABLES, NFT_MSG_GETRULE, NLM_F_DUMP, address_family(family));
  message.string(NFTA_RULE_TABLE, table);
  message.string(NFTA_RULE_CHAIN, chain);
  return std::move(message).finish();
}

std::uint32_t read_generation(const wire::Bytes& answer) {
  std::uint32_t generation = 0;
  const auto attribute = [&](const wire::Attribute& found) {
    if (found.type() == NFTA_GEN_ID) generation = big_endian_32(found);
  };
  const auto each = [&](const wire::Message& message) {
    if (is_netfilter_message(message, NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWGEN)) {
      message.attributes<nfgenmsg>(std::ref(attribute));
    }
  };
  wire::for_each_message(answer, std::ref(each));
  // 0 in a batch would mean: do not compare.
  if (generation == 0) throw wire::Malformed("nf_tables has no generation");
  return generation;
}

std::vector<DumpedChain> read_chains(const wire::Bytes& answer) {
  auto chains = read_objects<DumpedChain>(answer, NFT_MSG_NEWCHAIN);
  for (const DumpedChain& chain : chains) {
    if (chain.table.empty() || chain.name.empty()) throw wire::Malformed("a chain without a name");
    if (chain.hook.has_value() != chain.policy.has_value()) {
      throw wire::Malformed("a chain with a hook or a policy alone");
    }
  }
  return chains;
}

std::vector<DumpedRule> read_rules(const wire::Bytes& answer) {
  auto rules = read_objects<DumpedRule>(answer, NFT_MSG_NEWRULE);
  for (const DumpedRule& rule : rules) {
    if (rule.table.empty() || rule.chain.empty() || rule.handle == 0) {
      throw wire::Malformed("a rule of no chain");
    }
  }
  return rules;
}

}  // namespace plumbline::firewall
