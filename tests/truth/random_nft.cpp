#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "tests/truth/random_requests.hpp"

namespace plumbline::sim {

namespace {

using wire::MessageBuilder;

MessageBuilder about(unsigned operation, unsigned flags, std::uint8_t family) {
  MessageBuilder message(
      static_cast<std::uint16_t>(static_cast<unsigned>(NFNL_SUBSYS_NFTABLES) << 8U | operation),
      static_cast<std::uint16_t>(flags));
  message.header(nfgenmsg{family, NFNETLINK_V0, 0});
  return message;
}

void put_handle(MessageBuilder& message, std::uint16_t type, std::uint64_t handle) {
  const std::uint64_t sent = htobe64(handle);
  message.bytes(type, std::as_bytes(std::span(&sent, 1)));
}

/// As the kernel dumps expressions: without NLA_F_NESTED.
template <class Fill>
void plain(MessageBuilder& message, std::uint16_t type, const Fill& fill) {
  message.nest(type, fill, false);
}

void put_verdict(MessageBuilder& list, Chance& chance) {
  const bool jumps = chance.one_in(2);
  plain(list, NFTA_LIST_ELEM, [&](MessageBuilder& expression) {
    expression.string(NFTA_EXPR_NAME, "immediate");
    plain(expression, NFTA_EXPR_DATA, [&](MessageBuilder& data) {
      data.u32(NFTA_IMMEDIATE_DREG, htobe32(NFT_REG_VERDICT));
      plain(data, NFTA_IMMEDIATE_DATA, [&](MessageBuilder& immediate) {
        plain(immediate, NFTA_DATA_VERDICT, [&](MessageBuilder& verdict) {
          const auto code = static_cast<std::uint32_t>(jumps ? NFT_JUMP : NF_ACCEPT);
          verdict.u32(NFTA_VERDICT_CODE, htobe32(code));
          // Never back: loops are not modelled.
          if (jumps) verdict.string(NFTA_VERDICT_CHAIN, chance.pick({"zz", "INPUT", "none"}));
        });
      });
    });
  });
}

void put_meta(MessageBuilder& list) {
  plain(list, NFTA_LIST_ELEM, [&](MessageBuilder& expression) {
    expression.string(NFTA_EXPR_NAME, "meta");
    plain(expression, NFTA_EXPR_DATA, [&](MessageBuilder& data) {
      data.u32(NFTA_META_KEY, htobe32(NFT_META_MARK)).u32(NFTA_META_DREG, htobe32(NFT_REG_1));
    });
  });
}

const NftTable* random_table(const Namespace& there, Chance& chance) {
  const auto& tables = there.nf_tables.tables;
  return tables.empty() || chance.one_in(8) ? nullptr : &chance.pick(tables);
}

MessageBuilder random_chain(std::uint8_t family, const std::string& table, Chance& chance) {
  const bool removes = chance.one_in(4);
  auto message = about(
      removes ? NFT_MSG_DELCHAIN : NFT_MSG_NEWCHAIN,
      removes ? 0U : chance.pick<unsigned>({NLM_F_CREATE, NLM_F_CREATE | NLM_F_EXCL}), family);
  message.string(NFTA_CHAIN_TABLE, table);
  const std::string name = chance.pick({"a", "INPUT", "FORWARD", "zz", "zz"});
  message.string(NFTA_CHAIN_NAME, name);
  if (removes) return message;
  if (name == "INPUT" || name == "FORWARD") {
    message.nest(NFTA_CHAIN_HOOK, [&](MessageBuilder& hook) {
      const unsigned number = name == "INPUT" ? NF_INET_LOCAL_IN : NF_INET_FORWARD;
      hook.u32(NFTA_HOOK_HOOKNUM, htobe32(number));
      hook.u32(NFTA_HOOK_PRIORITY, 0);
    });
    message.string(NFTA_CHAIN_TYPE, chance.pick({"filter", "filter", "filter", "nat", "none"}));
  }
  if (chance.one_in(3)) {
    message.u32(NFTA_CHAIN_POLICY, htobe32(chance.pick<std::uint32_t>({NF_ACCEPT, NF_DROP, 77})));
  }
  if (chance.one_in(3)) message.string(NFTA_CHAIN_USERDATA, "ud");
  return message;
}

/// `first` of its batch: later ones may name what the batch has removed, which Linux still finds.
MessageBuilder random_rule(const NftTable* table, std::uint8_t family, const std::string& name,
                           bool first, Chance& chance) {
  const NftChain* chain = table == nullptr || table->chains.empty() || chance.one_in(8)
                              ? nullptr
                              : &chance.pick(table->chains);
  const bool removes = chance.one_in(3);
  const unsigned flags =
      removes ? 0U
              : chance.pick<unsigned>({NLM_F_CREATE | NLM_F_APPEND, NLM_F_CREATE | NLM_F_APPEND,
                                       NLM_F_CREATE, NLM_F_REPLACE, NLM_F_CREATE | NLM_F_ECHO});
  auto message = about(removes ? NFT_MSG_DELRULE : NFT_MSG_NEWRULE, flags, family);
  message.string(NFTA_RULE_TABLE, name);
  message.string(NFTA_RULE_CHAIN, chain == nullptr ? "none" : chain->name);
  const bool has_rules = chain != nullptr && !chain->rules.empty();
  const std::uint64_t handle =
      has_rules && !chance.one_in(5) ? chance.pick(chain->rules).handle : 12345;
  if (removes ? chance.one_in(2) : (flags & NLM_F_REPLACE) != 0) {
    put_handle(message, NFTA_RULE_HANDLE, handle);
  } else if (!removes && first && chance.one_in(4)) {
    put_handle(message, NFTA_RULE_POSITION, handle);
  }
  if (removes) return message;
  message.nest(NFTA_RULE_EXPRESSIONS, [&](MessageBuilder& list) {
    if (chance.one_in(2)) put_meta(list);
    if (chance.one_in(2)) put_verdict(list, chance);
  });
  if (chance.one_in(3)) message.string(NFTA_RULE_USERDATA, "rule");
  return message;
}

}  // namespace

wire::Request random_nft_request(const Namespace& there, Chance& chance) {
  wire::NftBatch batch;
  const std::uint32_t now = there.nf_tables.generation;
  batch.generation = chance.pick<std::uint32_t>({0, now, now, now + 1});
  for (std::size_t messages = 1 + chance.below(5); messages > 0; --messages) {
    const NftTable* table = random_table(there, chance);
    const std::uint8_t family =
        table != nullptr ? table->family : chance.pick<std::uint8_t>({NFPROTO_IPV4, NFPROTO_IPV6});
    const std::string name = table != nullptr ? table->name : chance.pick({"filter", "mine"});
    MessageBuilder message = [&] {
      switch (chance.below(8)) {
        case 0: {
          auto made =
              about(chance.pick<unsigned>({NFT_MSG_DELTABLE, NFT_MSG_NEWTABLE, NFT_MSG_NEWTABLE}),
                    chance.one_in(6) ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE, family);
          made.string(NFTA_TABLE_NAME, name);
          return made;
        }
        case 1:
        case 2:
          return random_chain(family, name, chance);
        default:
          return random_rule(table, family, name, batch.messages.empty(), chance);
      }
    }();
    const wire::Bytes bytes = std::move(message).finish();
    batch.messages.insert(batch.messages.end(), bytes.begin(), bytes.end());
    batch.messages.resize(wire::aligned(batch.messages.size()));
  }
  nlmsghdr header{};
  std::size_t last = 0;
  wire::for_each_message(batch.messages, [&](const wire::Message& message) {
    last = static_cast<std::size_t>(message.whole().data() - batch.messages.data());
  });
  std::memcpy(&header, batch.messages.data() + last, sizeof header);
  header.nlmsg_flags |= NLM_F_ACK;
  std::memcpy(batch.messages.data() + last, &header, sizeof header);
  return batch;
}

}  // namespace plumbline::sim
