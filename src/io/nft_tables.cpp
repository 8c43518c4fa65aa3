#include "nft_tables.hpp"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "plumbline/firewall/bytes/nft_table.hpp"
#include "plumbline/firewall/bytes/nftables.hpp"
#include "plumbline/io/held_tables.hpp"
#include "plumbline/io/host.hpp"

namespace plumbline::io {

namespace {

constexpr int attempts = 5;

/// How many chains, sets and other objects are in the table; nothing when there is no such table.
std::optional<std::uint32_t> objects_in(NetlinkSocket& nfnetlink, Family family,
                                        const std::string& table) {
  const auto reply = nfnetlink.get(firewall::table_query(family, table));
  if (reply.error == ENOENT) return std::nullopt;
  if (reply.error != 0) give_up("cannot read the table '" + table + "'", reply.error);
  const auto objects = firewall::read_table_uses(reply.bytes);
  if (!objects) throw HostError("the kernel does not say what is in the table '" + table + "'");
  return objects;
}

/// How many empty base chains that accept everything are in the table.
std::uint32_t idle_chains_in(NetlinkSocket& nfnetlink, Family family, const std::string& table) {
  const auto reply = nfnetlink.dump(firewall::chains_query());
  if (reply.error != 0) give_up("cannot read the chains of nf_tables", reply.error);
  const std::vector<firewall::DumpedChain> chains = firewall::read_chains(reply.bytes);
  return static_cast<std::uint32_t>(
      std::ranges::count_if(chains, [&](const firewall::DumpedChain& chain) {
        return chain.family == family && chain.table == table && chain.hook &&
               chain.policy == "ACCEPT" && chain.uses == 0;
      }));
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
  wire::Reply reply = nfnetlink.transact(firewall::framed(batch));
  // Its begin is no message of the batch.
  if (reply.place) reply.place = *reply.place == 0 ? std::nullopt : std::optional(*reply.place - 1);
  return reply;
}

wire::Reply drop_empty_table(NetlinkSocket& nfnetlink, Family family, const std::string& table) {
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const std::uint32_t generation = nft_generation(nfnetlink);
    const auto objects = objects_in(nfnetlink, family, table);
    if (!objects || idle_chains_in(nfnetlink, family, table) != *objects) return {};
    // With the table go its chains (nf_tables_deltable() in net/netfilter/nf_tables_api.c).
    firewall::NftBatchWriter batch;
    batch.remove_table(family, table);
    auto reply = commit(nfnetlink, std::move(batch).finish(generation));
    if (reply.error != ERESTART) return reply;
  }
  return {};
}

void drop_all_tables(NetlinkSocket& nfnetlink) {
  firewall::NftBatchWriter batch;
  batch.remove_all_tables();
  const auto reply = commit(nfnetlink, std::move(batch).finish(0));
  if (reply.error != 0) give_up("cannot empty nf_tables", reply.error);
}

}  // namespace plumbline::io
