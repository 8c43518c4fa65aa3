// Transactions: nf_tables_newtable() and its like in net/netfilter/nf_tables_api.c.

#include "tests/sim/nftables.hpp"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "tests/sim/attributes.hpp"
#include "tests/sim/nft_dump.hpp"

namespace plumbline::sim {

namespace {

std::optional<std::uint64_t> handle_of(const Attributes& given, std::uint16_t type) {
  const auto handle = given.get<std::uint64_t>(type);
  if (!handle) return std::nullopt;
  return be64toh(*handle);
}

std::optional<std::uint32_t> number_of(const Attributes& given, std::uint16_t type) {
  const auto number = given.u32(type);
  if (!number) return std::nullopt;
  return be32toh(*number);
}

wire::Bytes copy_of(const Attributes& given, std::uint16_t type) {
  const auto bytes = given.bytes(type);
  return {bytes.begin(), bytes.end()};
}

/// One transaction on its way; works on what will be there if nothing is refused.
class Transaction {
 public:
  explicit Transaction(NfTables& tables) : tables_(tables) {}

  void carry_out(const wire::Message& message) {
    const auto header = message.fixed<nfgenmsg>();
    const auto given = Attributes::behind<nfgenmsg>(message);
    if (message.type() >> 8U != NFNL_SUBSYS_NFTABLES) throw Refusal{EOPNOTSUPP, ""};
    family_ = header.nfgen_family;
    flags_ = message.flags();
    switch (message.type() & 0xffU) {
      case NFT_MSG_NEWTABLE:
        return new_table(given);
      case NFT_MSG_DELTABLE:
        return remove_table(given);
      case NFT_MSG_NEWCHAIN:
        return new_chain(given);
      case NFT_MSG_DELCHAIN:
        return remove_chain(given);
      case NFT_MSG_NEWRULE:
        return new_rule(given);
      case NFT_MSG_DELRULE:
        return remove_rules(given);
      default:
        throw Refusal{EOPNOTSUPP, ""};
    }
  }

  [[nodiscard]] bool changed() const { return changed_; }
  /// Tables that it removed.
  [[nodiscard]] const std::vector<NftTable>& gone() const { return gone_; }
  [[nodiscard]] const wire::Bytes& echo() const { return echo_; }

 private:
  [[nodiscard]] bool is(unsigned flag) const { return (flags_ & flag) != 0; }

  NftTable& table(const Attributes& given, std::uint16_t type) {
    const std::string name = given.string(type);
    const auto found = std::ranges::find_if(tables_.tables, [&](const NftTable& table) {
      return table.family == family_ && table.name == name;
    });
    if (!given.has(type)) throw Refusal{EINVAL, ""};
    if (found == tables_.tables.end()) throw Refusal{ENOENT, ""};
    return *found;
  }

  static NftChain* find_chain(NftTable& table, const std::string& name) {
    const auto found = std::ranges::find(table.chains, name, &NftChain::name);
    return found == table.chains.end() ? nullptr : &*found;
  }

  void new_table(const Attributes& given) {
    if (!given.has(NFTA_TABLE_NAME)) throw Refusal{EINVAL, ""};
    const std::uint32_t flags = number_of(given, NFTA_TABLE_FLAGS).value_or(0);
    try {
      NftTable& present = table(given, NFTA_TABLE_NAME);
      if (is(NLM_F_EXCL)) throw Refusal{EEXIST, ""};
      if (is(NLM_F_REPLACE)) throw Refusal{EOPNOTSUPP, ""};
      if (!given.has(NFTA_TABLE_FLAGS)) return;
      if ((flags & ~static_cast<unsigned>(NFT_TABLE_F_DORMANT)) != 0) throw Refusal{EOPNOTSUPP, ""};
      changed_ = changed_ || present.flags != flags;
      present.flags = flags;
      return;
    } catch (const Refusal& refusal) {
      if (refusal.error != ENOENT) throw;
    }
    if ((flags & ~static_cast<unsigned>(NFT_TABLE_F_DORMANT)) != 0) throw Refusal{EOPNOTSUPP, ""};
    NftTable& made = tables_.tables.emplace_back();
    made.family = family_;
    made.name = given.string(NFTA_TABLE_NAME);
    made.flags = flags;
    made.handle = ++tables_.last_handle;
    made.userdata = copy_of(given, NFTA_TABLE_USERDATA);
    changed_ = true;
  }

  void remove_table(const Attributes& given) {
    const auto handle = handle_of(given, NFTA_TABLE_HANDLE);
    if (family_ == NFPROTO_UNSPEC || (!given.has(NFTA_TABLE_NAME) && !handle)) {  // nft_flush()
      const auto goes = [&](const NftTable& table) {
        return family_ == NFPROTO_UNSPEC || table.family == family_;
      };
      changed_ = std::erase_if(tables_.tables, goes) != 0 || changed_;
      return;
    }
    const auto found = std::ranges::find_if(tables_.tables, [&](const NftTable& table) {
      const bool meant =
          handle ? table.handle == *handle : table.name == given.string(NFTA_TABLE_NAME);
      return table.family == family_ && meant;
    });
    if (found == tables_.tables.end()) throw Refusal{ENOENT, ""};
    gone_.push_back(*found);
    tables_.tables.erase(found);
    changed_ = true;
  }

  static NftHook hook_of(const Attributes& given) {
    const Attributes hook = given.inside(NFTA_CHAIN_HOOK);
    const auto number = number_of(hook, NFTA_HOOK_HOOKNUM);
    if (!number) throw Refusal{EINVAL, ""};
    // nft_chain_parse_hook(): a type alone says the priority.
    const auto priority = number_of(hook, NFTA_HOOK_PRIORITY);
    if (!priority) throw Refusal{EINVAL, ""};
    return {*number, static_cast<std::int32_t>(*priority)};
  }

  void check_type(const std::string& type) const {
    const bool routed = type == "nat" || type == "route";
    if (type != "filter" && (!routed || family_ == NFPROTO_BRIDGE)) throw Refusal{ENOENT, ""};
  }

  /// Of a new chain: where its type may be.
  static void check_hook(const std::string& type, const NftHook& hook) {
    const bool routed = type == "route" && hook.number != NF_INET_LOCAL_OUT;
    const bool translated = type == "nat" && hook.number == NF_INET_FORWARD;
    if (hook.number > NF_INET_POST_ROUTING || routed || translated) throw Refusal{EOPNOTSUPP, ""};
    if (type == "nat" && hook.priority <= -200) throw Refusal{EOPNOTSUPP, ""};
  }

  std::pair<std::string, NftHook> base_of(const Attributes& given) const {
    const NftHook hook = hook_of(given);
    std::string type = given.has(NFTA_CHAIN_TYPE) ? given.string(NFTA_CHAIN_TYPE) : "filter";
    check_type(type);
    return {std::move(type), hook};
  }

  void new_chain(const Attributes& given) {
    NftTable& table = this->table(given, NFTA_CHAIN_TABLE);
    const std::string name = given.string(NFTA_CHAIN_NAME);
    NftChain* present = find_chain(table, name);
    const auto policy = number_of(given, NFTA_CHAIN_POLICY);
    if (policy) {
      const bool is_base =
          present != nullptr ? present->hook.has_value() : given.has(NFTA_CHAIN_HOOK);
      if (!is_base) throw Refusal{EOPNOTSUPP, ""};
      if (*policy != NF_ACCEPT && *policy != NF_DROP) throw Refusal{EINVAL, ""};
    }
    if (present != nullptr) {
      if (is(NLM_F_EXCL)) throw Refusal{EEXIST, ""};
      if (is(NLM_F_REPLACE)) throw Refusal{EOPNOTSUPP, ""};
      if (given.has(NFTA_CHAIN_HOOK)) {  // nf_tables_updchain()
        if (!present->hook) throw Refusal{EEXIST, ""};
        const auto [type, hook] = base_of(given);
        if (hook != *present->hook || type != present->type) throw Refusal{EEXIST, ""};
      }
      if (policy) present->policy = *policy;
      changed_ = true;
      return;
    }
    NftChain made;
    made.name = name;
    made.userdata = copy_of(given, NFTA_CHAIN_USERDATA);
    if (given.has(NFTA_CHAIN_HOOK)) {
      std::tie(made.type, made.hook) = base_of(given);
      check_hook(made.type, *made.hook);
      made.policy = policy.value_or(NF_ACCEPT);
    }
    made.handle = ++table.last_handle;
    table.chains.push_back(std::move(made));
    changed_ = true;
  }

  void remove_chain(const Attributes& given) {
    NftTable& table = this->table(given, NFTA_CHAIN_TABLE);
    const NftChain* chain = find_chain(table, given.string(NFTA_CHAIN_NAME));
    if (chain == nullptr) throw Refusal{ENOENT, ""};
    const std::size_t jumps = jumps_to(table, chain->name, chain);
    if (jumps > 0 || (is(NLM_F_NONREC) && !chain->rules.empty())) throw Refusal{EBUSY, ""};
    table.chains.erase(table.chains.begin() + (chain - table.chains.data()));
    changed_ = true;
  }

  void new_rule(const Attributes& given) {
    NftTable& table = this->table(given, NFTA_RULE_TABLE);
    NftChain* chain = find_chain(table, given.string(NFTA_RULE_CHAIN));
    if (chain == nullptr) throw Refusal{ENOENT, ""};
    const auto handle = handle_of(given, NFTA_RULE_HANDLE);
    auto at = is(NLM_F_APPEND) ? chain->rules.end() : chain->rules.begin();
    const auto find = [&](std::uint64_t wanted) {
      const auto found = std::ranges::find(chain->rules, wanted, &NftRule::handle);
      if (found == chain->rules.end()) throw Refusal{ENOENT, ""};
      return found;
    };
    if (handle) {
      at = find(*handle);
      if (is(NLM_F_EXCL)) throw Refusal{EEXIST, ""};
      if (!is(NLM_F_REPLACE)) throw Refusal{EOPNOTSUPP, ""};
    } else if (!is(NLM_F_CREATE) || is(NLM_F_REPLACE)) {
      throw Refusal{EINVAL, ""};
    }
    NftRule rule;
    rule.handle = handle ? *handle : ++table.last_handle;
    if (const auto position = handle_of(given, NFTA_RULE_POSITION); position && !handle) {
      at = find(*position);
      if (is(NLM_F_APPEND)) ++at;
    }
    rule.expressions = copy_of(given, NFTA_RULE_EXPRESSIONS);
    rule.userdata = copy_of(given, NFTA_RULE_USERDATA);
    for (const std::string& name : jumps_of(rule.expressions)) {
      const NftChain* target = find_chain(table, name);
      if (target == nullptr) throw Refusal{ENOENT, ""};
      if (target->hook) throw Refusal{EOPNOTSUPP, ""};  // nft_verdict_init()
    }
    if (handle) at = chain->rules.erase(at);
    at = chain->rules.insert(at, std::move(rule));
    if (is(NLM_F_ECHO)) put_rule(echo_, table, *chain, *at);
    changed_ = true;
  }

  void remove_rules(const Attributes& given) {
    NftTable& table = this->table(given, NFTA_RULE_TABLE);
    if (!given.has(NFTA_RULE_CHAIN)) {
      for (NftChain& chain : table.chains) clear(chain);
      return;
    }
    NftChain* chain = find_chain(table, given.string(NFTA_RULE_CHAIN));
    if (chain == nullptr) throw Refusal{ENOENT, ""};
    const auto handle = handle_of(given, NFTA_RULE_HANDLE);
    if (!handle) return clear(*chain);
    if (std::erase_if(chain->rules, [&](const NftRule& it) { return it.handle == *handle; }) == 0) {
      throw Refusal{ENOENT, ""};
    }
    changed_ = true;
  }

  void clear(NftChain& chain) {
    changed_ = changed_ || !chain.rules.empty();
    chain.rules.clear();
  }

  NfTables& tables_;
  std::uint8_t family_ = 0;
  unsigned flags_ = 0;
  bool changed_ = false;
  wire::Bytes echo_;
  std::vector<NftTable> gone_;
};

/// Handles are given out once, also by what is void afterwards.
void keep_handles(NfTables& before, const NfTables& after, const std::vector<NftTable>& gone) {
  before.last_handle = after.last_handle;
  for (NftTable& table : before.tables) {
    for (const auto* others : {&after.tables, &gone}) {
      const auto same = std::ranges::find(*others, table.handle, &NftTable::handle);
      if (same != others->end()) table.last_handle = same->last_handle;
    }
  }
}

}  // namespace

wire::Reply commit(NfTables& tables, const wire::NftBatch& batch) {
  if (batch.generation != 0 && batch.generation != tables.generation) return {ERESTART, {}, {}, {}};
  NfTables after = tables;
  Transaction transaction(after);
  wire::Reply reply;
  std::size_t place = 0;
  wire::for_each_message(batch.messages, [&](const wire::Message& message) {
    try {
      transaction.carry_out(message);
    } catch (const Refusal& refusal) {
      // The others are tried all the same (nfnetlink_rcv_batch()), and take handles.
      if (reply.error == 0) reply = {refusal.error, refusal.words, {}, {}, place};
    }
    ++place;
  });
  if (reply.error != 0) {
    keep_handles(tables, after, transaction.gone());
    return reply;
  }
  tables = std::move(after);
  // nf_tables_commit() leaves out 0.
  if (transaction.changed() && ++tables.generation == 0) tables.generation = 1;
  reply.bytes = transaction.echo();
  return reply;
}

wire::Reply drop_empty(NfTables& tables, std::uint8_t family, const std::string& name) {
  const auto found = std::ranges::find_if(tables.tables, [&](const NftTable& table) {
    return table.family == family && table.name == name;
  });
  const auto is_idle = [](const NftChain& chain) {
    return chain.hook && chain.policy == NF_ACCEPT && chain.rules.empty();
  };
  if (found == tables.tables.end() || !std::ranges::all_of(found->chains, is_idle)) return {};
  tables.tables.erase(found);
  if (++tables.generation == 0) tables.generation = 1;
  return {};
}

}  // namespace plumbline::sim
