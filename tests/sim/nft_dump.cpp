#include "tests/sim/nft_dump.hpp"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <algorithm>
#include <cerrno>

#include "tests/sim/attributes.hpp"

namespace plumbline::sim {

namespace {

wire::MessageBuilder about(unsigned operation, std::uint8_t family) {
  wire::MessageBuilder message(
      static_cast<std::uint16_t>(static_cast<unsigned>(NFNL_SUBSYS_NFTABLES) << 8U | operation), 0);
  message.header(nfgenmsg{family, NFNETLINK_V0, 0});
  return message;
}

void put_handle(wire::MessageBuilder& message, std::uint16_t type, std::uint64_t handle) {
  const std::uint64_t sent = htobe64(handle);
  message.bytes(type, std::as_bytes(std::span(&sent, 1)));
}

void put_number(wire::MessageBuilder& message, std::uint16_t type, std::uint32_t number) {
  message.u32(type, htobe32(number));
}

void append(wire::Bytes& all, wire::MessageBuilder message) {
  const wire::Bytes bytes = std::move(message).finish();
  all.insert(all.end(), bytes.begin(), bytes.end());
  all.resize(wire::aligned(all.size()));
}

void put_table(wire::Bytes& all, const NftTable& table) {
  auto message = about(NFT_MSG_NEWTABLE, table.family);
  message.string(NFTA_TABLE_NAME, table.name);
  put_number(message, NFTA_TABLE_FLAGS, table.flags);
  put_number(message, NFTA_TABLE_USE, static_cast<std::uint32_t>(table.chains.size()));
  put_handle(message, NFTA_TABLE_HANDLE, table.handle);
  append(all, std::move(message));
}

void put_chain(wire::Bytes& all, const NftTable& table, const NftChain& chain) {
  auto message = about(NFT_MSG_NEWCHAIN, table.family);
  message.string(NFTA_CHAIN_TABLE, table.name);
  put_handle(message, NFTA_CHAIN_HANDLE, chain.handle);
  message.string(NFTA_CHAIN_NAME, chain.name);
  if (chain.hook) {
    message.nest(NFTA_CHAIN_HOOK, [&](wire::MessageBuilder& hook) {
      put_number(hook, NFTA_HOOK_HOOKNUM, chain.hook->number);
      put_number(hook, NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(chain.hook->priority));
    });
    put_number(message, NFTA_CHAIN_POLICY, chain.policy);
    message.string(NFTA_CHAIN_TYPE, chain.type);
  }
  const std::size_t uses = chain.rules.size() + jumps_to(table, chain.name, nullptr);
  put_number(message, NFTA_CHAIN_USE, static_cast<std::uint32_t>(uses));
  if (!chain.userdata.empty()) message.bytes(NFTA_CHAIN_USERDATA, chain.userdata);
  append(all, std::move(message));
}

/// What of the tables a question is about.
struct Asked {
  std::uint8_t family = 0;
  std::string table;
  std::string chain;
  bool all = false;  ///< a dump

  [[nodiscard]] bool is_of(const NftTable& it) const {
    return (family == NFPROTO_UNSPEC || it.family == family) && (table.empty() || it.name == table);
  }
  [[nodiscard]] bool is_of(const NftChain& it) const { return chain.empty() || it.name == chain; }
};

wire::Bytes tables_for(const NfTables& tables, const Asked& asked) {
  wire::Bytes all;
  for (const NftTable& table : tables.tables) {
    if (asked.is_of(table)) put_table(all, table);
  }
  return all;
}

wire::Bytes chains_for(const NfTables& tables, const Asked& asked) {
  wire::Bytes all;
  for (const NftTable& table : tables.tables) {
    if (!asked.is_of(table)) continue;
    for (const NftChain& chain : table.chains) {
      if (asked.is_of(chain)) put_chain(all, table, chain);
    }
  }
  return all;
}

wire::Bytes rules_for(const NfTables& tables, const Asked& asked) {
  wire::Bytes all;
  for (const NftTable& table : tables.tables) {
    if (!asked.is_of(table)) continue;
    for (const NftChain& chain : table.chains) {
      if (!asked.is_of(chain)) continue;
      for (const NftRule& rule : chain.rules) put_rule(all, table, chain, rule);
    }
  }
  return all;
}

wire::Reply one(const Asked& asked, wire::Bytes found) {
  if (found.empty() && !asked.all) return {ENOENT, {}, {}, {}};
  return {0, {}, {}, std::move(found)};
}

wire::Reply answer_nf_tables(const NfTables& tables, const wire::Message& question) {
  const auto given = Attributes::behind<nfgenmsg>(question);
  Asked asked;
  asked.family = question.fixed<nfgenmsg>().nfgen_family;
  asked.all = (question.flags() & NLM_F_DUMP) == NLM_F_DUMP;
  switch (question.type() & 0xffU) {
    case NFT_MSG_GETGEN: {
      auto message = about(NFT_MSG_NEWGEN, NFPROTO_UNSPEC);
      put_number(message, NFTA_GEN_ID, tables.generation);
      return {0, {}, {}, std::move(message).finish()};
    }
    case NFT_MSG_GETTABLE:
      asked.table = given.string(NFTA_TABLE_NAME);
      return one(asked, tables_for(tables, asked));
    case NFT_MSG_GETCHAIN:
      asked.table = given.string(NFTA_CHAIN_TABLE);
      asked.chain = given.string(NFTA_CHAIN_NAME);
      return one(asked, chains_for(tables, asked));
    case NFT_MSG_GETRULE:
      asked.table = given.string(NFTA_RULE_TABLE);
      asked.chain = given.string(NFTA_RULE_CHAIN);
      return one(asked, rules_for(tables, asked));
    case NFT_MSG_GETSET:
      return one(asked, {});
    default:
      return {EOPNOTSUPP, {}, {}, {}};
  }
}

}  // namespace

void put_rule(wire::Bytes& all, const NftTable& table, const NftChain& chain, const NftRule& rule) {
  auto message = about(NFT_MSG_NEWRULE, table.family);
  message.string(NFTA_RULE_TABLE, table.name);
  message.string(NFTA_RULE_CHAIN, chain.name);
  put_handle(message, NFTA_RULE_HANDLE, rule.handle);
  message.bytes(NFTA_RULE_EXPRESSIONS | NLA_F_NESTED, rule.expressions);
  if (!rule.userdata.empty()) message.bytes(NFTA_RULE_USERDATA, rule.userdata);
  append(all, std::move(message));
}

std::vector<std::string> jumps_of(const wire::Bytes& expressions) {
  std::vector<std::string> chains;
  wire::for_each_attribute(expressions, [&](const wire::Attribute& element) {
    const Attributes expression(element.payload());
    if (expression.string(NFTA_EXPR_NAME) != "immediate") return;
    const Attributes verdict =
        expression.inside(NFTA_EXPR_DATA).inside(NFTA_IMMEDIATE_DATA).inside(NFTA_DATA_VERDICT);
    if (verdict.has(NFTA_VERDICT_CHAIN)) chains.push_back(verdict.string(NFTA_VERDICT_CHAIN));
  });
  return chains;
}

std::size_t jumps_to(const NftTable& table, const std::string& chain, const NftChain* except) {
  std::size_t jumps = 0;
  for (const NftChain& from : table.chains) {
    if (&from == except) continue;
    for (const NftRule& rule : from.rules) {
      jumps += static_cast<std::size_t>(std::ranges::count(jumps_of(rule.expressions), chain));
    }
  }
  return jumps;
}

wire::Reply answer(const NfTables& tables, const wire::Bytes& question) {
  const wire::Message message{std::span(question)};
  switch (message.type() >> 8U) {
    case NFNL_SUBSYS_NFTABLES:
      return answer_nf_tables(tables, message);
    case NFNL_SUBSYS_CTNETLINK:
      return {};
    default:
      return {ENOENT, {}, {}, {}};
  }
}

}  // namespace plumbline::sim
