#include "nft_tables.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "plumbline/io/held_tables.hpp"
#include "plumbline/io/host.hpp"

namespace plumbline::io {

namespace {

constexpr int attempts = 5;

/// NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_BRIDGE: the same numbers.
std::uint8_t nf_family(Family family) { return address_family(family); }

wire::MessageBuilder message(unsigned operation, std::uint16_t flags, std::uint8_t family) {
  wire::MessageBuilder built(
      static_cast<std::uint16_t>(static_cast<unsigned>(NFNL_SUBSYS_NFTABLES) << 8U | operation),
      flags);
  built.header(nfgenmsg{family, NFNETLINK_V0, 0});
  return built;
}

void append_mark(wire::Bytes& batch, std::uint16_t type, std::uint32_t generation) {
  wire::MessageBuilder built(type, 0);
  built.header(nfgenmsg{AF_UNSPEC, NFNETLINK_V0, htons(NFNL_SUBSYS_NFTABLES)});
  if (generation != 0) built.u32(NFNL_BATCH_GENID, htonl(generation));
  const wire::Bytes mark = std::move(built).finish();
  batch.insert(batch.end(), mark.begin(), mark.end());
}

/// How many chains, sets and other objects are in the table; nothing when there is no such table.
std::optional<std::uint32_t> objects_in(NetlinkSocket& nfnetlink, Family family,
                                        const std::string& table) {
  auto request = message(NFT_MSG_GETTABLE, 0, nf_family(family));
  request.string(NFTA_TABLE_NAME, table);
  const auto reply = nfnetlink.get(std::move(request).finish());
  if (reply.error == ENOENT) return std::nullopt;
  if (reply.error != 0) give_up("cannot read the table '" + table + "'", reply.error);
  std::optional<std::uint32_t> objects;
  wire::for_each_message(reply.bytes, [&](const wire::Message& answer) {
    answer.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
      if (attribute.type() == NFTA_TABLE_USE) objects = ntohl(attribute.u32());
    });
  });
  if (!objects) throw HostError("the kernel does not say what is in the table '" + table + "'");
  return objects;
}

struct Chain {
  std::string table;
  bool is_base = false;
  std::uint32_t policy = NF_ACCEPT;
  std::uint32_t uses = 0;  ///< its rules and the jumps to it
};

Chain read_chain(const wire::Message& answer) {
  Chain chain;
  answer.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
    switch (attribute.type()) {
      case NFTA_CHAIN_TABLE:
        chain.table = attribute.string();
        break;
      case NFTA_CHAIN_HOOK:
        chain.is_base = true;
        break;
      case NFTA_CHAIN_POLICY:
        chain.policy = ntohl(attribute.u32());
        break;
      case NFTA_CHAIN_USE:
        chain.uses = ntohl(attribute.u32());
        break;
      default:
        break;
    }
  });
  return chain;
}

/// How many empty base chains that accept everything are in the table.
std::uint32_t idle_chains_in(NetlinkSocket& nfnetlink, Family family, const std::string& table) {
  const auto reply =
      nfnetlink.dump(std::move(message(NFT_MSG_GETCHAIN, 0, nf_family(family))).finish());
  if (reply.error != 0) give_up("cannot read the chains of nf_tables", reply.error);
  std::uint32_t idle = 0;
  wire::for_each_message(reply.bytes, [&](const wire::Message& answer) {
    if (answer.fixed<nfgenmsg>().nfgen_family != nf_family(family)) return;
    const Chain chain = read_chain(answer);
    if (chain.table != table) return;
    if (chain.is_base && chain.policy == NF_ACCEPT && chain.uses == 0) ++idle;
  });
  return idle;
}

}  // namespace

wire::Reply ask(NetlinkSocket& nfnetlink, const wire::NetfilterQuery& query) {
  nlmsghdr header{};
  if (query.message.size() < sizeof header) throw HostError("netfilter: a question without header");
  std::memcpy(&header, query.message.data(), sizeof header);
  const bool is_dump = (header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  return is_dump ? nfnetlink.dump(query.message) : nfnetlink.get(query.message);
}

wire::Reply commit(NetlinkSocket& nfnetlink, const wire::NftBatch& batch) {
  wire::Bytes whole;
  whole.reserve(batch.messages.size() + 64);
  append_mark(whole, NFNL_MSG_BATCH_BEGIN, batch.generation);
  whole.insert(whole.end(), batch.messages.begin(), batch.messages.end());
  append_mark(whole, NFNL_MSG_BATCH_END, 0);
  wire::Reply reply = nfnetlink.transact(std::move(whole));
  // The begin mark is no message of the batch.
  if (reply.place) reply.place = *reply.place == 0 ? std::nullopt : std::optional(*reply.place - 1);
  return reply;
}

wire::Reply drop_empty_table(NetlinkSocket& nfnetlink, Family family, const std::string& table) {
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const std::uint32_t generation = nft_generation(nfnetlink);
    const auto objects = objects_in(nfnetlink, family, table);
    if (!objects || idle_chains_in(nfnetlink, family, table) != *objects) return {};
    // With the table go its chains (nf_tables_deltable() in net/netfilter/nf_tables_api.c).
    auto remove = message(NFT_MSG_DELTABLE, NLM_F_ACK, nf_family(family));
    remove.string(NFTA_TABLE_NAME, table);
    auto reply = commit(nfnetlink, {std::move(remove).finish(), generation});
    if (reply.error != ERESTART) return reply;
  }
  return {};
}

void drop_all_tables(NetlinkSocket& nfnetlink) {
  const auto reply =
      commit(nfnetlink, {std::move(message(NFT_MSG_DELTABLE, NLM_F_ACK, AF_UNSPEC)).finish(), 0});
  if (reply.error != 0) give_up("cannot empty nf_tables", reply.error);
}

}  // namespace plumbline::io
