#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "expressions.hpp"
#include "family.hpp"
#include "messages.hpp"
#include "plumbline/firewall/bytes/nft_table.hpp"

namespace plumbline::firewall {

wire::Bytes table_query(Family family, std::string_view table) {
  auto message =
      netfilter_message(NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE, 0, address_family(family));
  message.string(NFTA_TABLE_NAME, table);
  return std::move(message).finish();
}

wire::Bytes tables_query() {
  return std::move(
             netfilter_message(NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE, NLM_F_DUMP, NFPROTO_UNSPEC))
      .finish();
}

std::vector<DumpedTable> read_tables(const wire::Bytes& answer) {
  std::vector<DumpedTable> tables;
  wire::for_each_message(answer, [&](const wire::Message& message) {
    if (!is_netfilter_message(message, NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWTABLE)) return;
    const auto family = family_of(message.fixed<nfgenmsg>().nfgen_family);
    if (!family) return;
    DumpedTable& table = tables.emplace_back();
    table.family = *family;
    message.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
      if (attribute.type() == NFTA_TABLE_NAME) table.name = attribute.string();
      if (attribute.type() == NFTA_TABLE_FLAGS) {
        table.dormant = (big_endian_32(attribute) & NFT_TABLE_F_DORMANT) != 0;
      }
    });
  });
  return tables;
}

wire::Bytes maps_query() {
  return std::move(
             netfilter_message(NFNL_SUBSYS_NFTABLES, NFT_MSG_GETSET, NLM_F_DUMP, NFPROTO_UNSPEC))
      .finish();
}

std::vector<std::pair<Family, std::string>> read_maps_to_chains(const wire::Bytes& answer) {
  std::vector<std::pair<Family, std::string>> tables;
  wire::for_each_message(answer, [&](const wire::Message& message) {
    if (!is_netfilter_message(message, NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWSET)) return;
    const auto family = family_of(message.fixed<nfgenmsg>().nfgen_family);
    if (!family) return;
    std::string table;
    bool verdicts = false;
    message.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
      if (attribute.type() == NFTA_SET_TABLE) table = attribute.string();
      if (attribute.type() == NFTA_SET_DATA_TYPE)
        verdicts = big_endian_32(attribute) == NFT_DATA_VERDICT;
    });
    if (verdicts) tables.emplace_back(*family, std::move(table));
  });
  return tables;
}

std::optional<std::uint32_t> read_table_uses(const wire::Bytes& answer) {
  std::optional<std::uint32_t> uses;
  wire::for_each_message(answer, [&](const wire::Message& message) {
    if (!is_netfilter_message(message, NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWTABLE)) return;
    message.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
      if (attribute.type() == NFTA_TABLE_USE) uses = big_endian_32(attribute);
    });
  });
  return uses;
}

std::uint64_t read_table_handle(const wire::Bytes& answer) {
  std::uint64_t handle = 0;
  wire::for_each_message(answer, [&](const wire::Message& message) {
    if (!is_netfilter_message(message, NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWTABLE)) return;
    message.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
      if (attribute.type() == NFTA_TABLE_HANDLE) handle = big_endian_64(attribute);
    });
  });
  return handle;
}

}  // namespace plumbline::firewall
