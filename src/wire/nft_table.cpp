#include "plumbline/wire/nft_table.hpp"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "nft_messages.hpp"

namespace plumbline::wire {

Bytes table_query(Family family, std::string_view table) {
  auto message =
      netfilter_message(NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE, 0, address_family(family));
  message.string(NFTA_TABLE_NAME, table);
  return std::move(message).finish();
}

}  // namespace plumbline::wire
