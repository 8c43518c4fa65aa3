// The changes of one nf_tables transaction, as messages.

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <utility>

#include "compat.hpp"
#include "messages.hpp"
#include "plumbline/firewall/bytes/nftables.hpp"
#include "rule_code.hpp"

namespace plumbline::firewall {

namespace {

wire::MessageBuilder change(unsigned operation, unsigned flags, Family family) {
  return netfilter_message(NFNL_SUBSYS_NFTABLES, operation, flags, address_family(family));
}

wire::MessageBuilder chain_change(unsigned operation, unsigned flags, Family family,
                                  std::string_view table, std::string_view name) {
  auto message = change(operation, flags, family);
  message.string(NFTA_CHAIN_TABLE, table);
  message.string(NFTA_CHAIN_NAME, name);
  return message;
}

wire::MessageBuilder rule_change(unsigned operation, unsigned flags, Family family,
                                 std::string_view table, std::string_view chain) {
  auto message = change(operation, flags, family);
  message.string(NFTA_RULE_TABLE, table);
  message.string(NFTA_RULE_CHAIN, chain);
  return message;
}

void add_handle(wire::MessageBuilder& message, std::uint16_t type, std::uint64_t handle) {
  const std::uint64_t sent = htobe64(handle);
  message.bytes(type, std::as_bytes(std::span(&sent, 1)));
}

void add_compat(wire::MessageBuilder& message, const Compat& compat) {
  constexpr std::uint32_t inverted = NFT_RULE_COMPAT_F_INV;
  message.nest(NFTA_RULE_COMPAT, [&](wire::MessageBuilder& nest) {
    nest.u32(NFTA_RULE_COMPAT_PROTO, htobe32(compat.protocol));
    nest.u32(NFTA_RULE_COMPAT_FLAGS, htobe32(compat.inverted ? inverted : 0U));
  });
}

void add_expressions(wire::MessageBuilder& message, const RuleCode& code,
                     const SetIndex& set_index) {
  message.bytes(NFTA_RULE_EXPRESSIONS | NLA_F_NESTED, code.expressions);
  const std::size_t padded = wire::aligned(code.expressions.size());
  write_set_indexes(message.written().last(padded).first(code.expressions.size()), code.sets,
                    set_index);
}

/// The begin or the end of a batch.
void append_limit(wire::Bytes& batch, std::uint16_t type, std::uint32_t generation) {
  wire::MessageBuilder built(type, 0);
  built.header(nfgenmsg{NFPROTO_UNSPEC, NFNETLINK_V0, htobe16(NFNL_SUBSYS_NFTABLES)});
  if (generation != 0) built.u32(NFNL_BATCH_GENID, htobe32(generation));
  const wire::Bytes limit = std::move(built).finish();
  batch.insert(batch.end(), limit.begin(), limit.end());
}

}  // namespace

void NftBatchWriter::add(wire::Bytes message) {
  last_ = messages_.size();
  messages_.insert(messages_.end(), message.begin(), message.end());
  messages_.resize(wire::aligned(messages_.size()));
  ++count_;
}

void NftBatchWriter::add_table(Family family, std::string_view table) {
  auto message = change(NFT_MSG_NEWTABLE, NLM_F_CREATE, family);
  message.string(NFTA_TABLE_NAME, table);
  add(std::move(message).finish());
}

void NftBatchWriter::wake_table(Family family, std::string_view table) {
  auto message = change(NFT_MSG_NEWTABLE, 0, family);
  message.string(NFTA_TABLE_NAME, table);
  message.u32(NFTA_TABLE_FLAGS, 0);
  add(std::move(message).finish());
}

void NftBatchWriter::add_base_chain(Family family, std::string_view table, std::string_view name,
                                    const Hook& hook) {
  auto message = chain_change(NFT_MSG_NEWCHAIN, NLM_F_CREATE, family, table, name);
  message.nest(NFTA_CHAIN_HOOK, [&](wire::MessageBuilder& nested) {
    nested.u32(NFTA_HOOK_HOOKNUM, htobe32(hook.number));
    nested.u32(NFTA_HOOK_PRIORITY, htobe32(static_cast<std::uint32_t>(hook.priority)));
  });
  message.string(NFTA_CHAIN_TYPE, hook.type);
  add(std::move(message).finish());
}

void NftBatchWriter::add_chain(Family family, std::string_view table, std::string_view name,
                               std::span<const std::byte> userdata) {
  auto message = chain_change(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, family, table, name);
  if (!userdata.empty()) message.bytes(NFTA_CHAIN_USERDATA, userdata);
  add(std::move(message).finish());
}

void NftBatchWriter::set_policy(Family family, std::string_view table, std::string_view name,
                                std::string_view policy) {
  if (policy != "ACCEPT" && policy != "DROP") throw wire::Malformed("a policy is ACCEPT or DROP");
  auto message = chain_change(NFT_MSG_NEWCHAIN, 0, family, table, name);
  message.u32(NFTA_CHAIN_POLICY, htobe32(policy == "ACCEPT" ? NF_ACCEPT : NF_DROP));
  add(std::move(message).finish());
}

void NftBatchWriter::add_rule(Family family, std::string_view table, std::string_view chain,
                              const RuleCode& code, const Place& place, const SetIndex& set_index,
                              Echo echo) {
  unsigned flags = NLM_F_CREATE;
  if (echo == Echo::yes) flags |= NLM_F_ECHO;
  if (place.where == Place::Where::end) flags |= NLM_F_APPEND;
  auto message = rule_change(NFT_MSG_NEWRULE, flags, family, table, chain);
  if (place.where == Place::Where::before) add_handle(message, NFTA_RULE_POSITION, place.handle);
  if (const auto compat = compat_of(family, code.expressions)) add_compat(message, *compat);
  if (!code.userdata.empty()) message.bytes(NFTA_RULE_USERDATA, code.userdata);
  add_expressions(message, code, set_index);
  add(std::move(message).finish());
}

void NftBatchWriter::expect(std::size_t rules) {
  constexpr std::size_t usual_size = 512;
  const std::size_t wanted = messages_.size() + rules * usual_size;
  if (wanted > messages_.capacity()) messages_.reserve(std::max(wanted, 2 * messages_.capacity()));
}

void NftBatchWriter::remove_rule(Family family, std::string_view table, std::string_view chain,
                                 std::uint64_t handle) {
  auto message = rule_change(NFT_MSG_DELRULE, 0, family, table, chain);
  add_handle(message, NFTA_RULE_HANDLE, handle);
  add(std::move(message).finish());
}

void NftBatchWriter::remove_all_rules(Family family, std::string_view table,
                                      std::string_view chain) {
  add(std::move(rule_change(NFT_MSG_DELRULE, 0, family, table, chain)).finish());
}

void NftBatchWriter::remove_chain(Family family, std::string_view table, std::string_view chain) {
  add(std::move(chain_change(NFT_MSG_DELCHAIN, 0, family, table, chain)).finish());
}

void NftBatchWriter::remove_table(Family family, std::string_view table) {
  auto message = change(NFT_MSG_DELTABLE, 0, family);
  message.string(NFTA_TABLE_NAME, table);
  add(std::move(message).finish());
}

void NftBatchWriter::remove_all_tables() {
  add(netfilter_message(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, 0, NFPROTO_UNSPEC).finish());
}

wire::NftBatch NftBatchWriter::finish(std::uint32_t generation) && {
  if (count_ > 0) {
    // Silence would not tell a success from an answer that was lost.
    nlmsghdr header{};
    std::memcpy(&header, messages_.data() + last_, sizeof header);
    header.nlmsg_flags |= NLM_F_ACK;
    std::memcpy(messages_.data() + last_, &header, sizeof header);
  }
  return {std::move(messages_), generation};
}

wire::Bytes framed(const wire::NftBatch& batch) {
  wire::Bytes whole;
  whole.reserve(batch.messages.size() + 64);
  append_limit(whole, NFNL_MSG_BATCH_BEGIN, batch.generation);
  whole.insert(whole.end(), batch.messages.begin(), batch.messages.end());
  append_limit(whole, NFNL_MSG_BATCH_END, 0);
  return whole;
}

}  // namespace plumbline::firewall
