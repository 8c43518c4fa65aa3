#include "plumbline/firewall/bytes/iptables_tables.hpp"

#include <gmock/gmock.h>

#include "plumbline/firewall/bytes/nftables.hpp"

namespace plumbline::firewall {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(IptablesTables, EachHasBuiltInChainsAndTheyAreBaseChains) {
  for (const Family family : {Family::inet, Family::inet6, Family::bridge}) {
    for (const std::string_view table : tables_of(family)) {
      EXPECT_TRUE(is_iptables_table(family, table));
      EXPECT_TRUE(is_table_of_iptables(nft_word(family), table));
      EXPECT_FALSE(builtin_chains(family, table).empty()) << table;
      for (const std::string_view chain : builtin_chains(family, table)) {
        EXPECT_TRUE(builtin_hook(family, table, chain)) << table << " " << chain;
      }
    }
  }
  EXPECT_THAT(builtin_chains(Family::inet6, "raw"), ElementsAre("PREROUTING", "OUTPUT"));
  EXPECT_THAT(builtin_chains(Family::bridge, "raw"), IsEmpty());
}

TEST(IptablesTables, AnySpecCanHaveAreThoseOfItsFamily) {
  EXPECT_TRUE(is_iptables_table(Family::inet6, "security"));
  EXPECT_FALSE(is_iptables_table(Family::bridge, "mangle"));
  EXPECT_FALSE(is_iptables_table(Family::bridge, "broute"));
  EXPECT_FALSE(is_iptables_table(Family::inet, "firewalld"));
}

TEST(IptablesTables, OfProgramsThatNoSpecSpeaksToAreNobodyElses) {
  EXPECT_TRUE(is_table_of_iptables("bridge", "broute"));
  EXPECT_TRUE(is_table_of_iptables("arp", "filter"));
  EXPECT_FALSE(is_table_of_iptables("arp", "nat"));
  EXPECT_FALSE(is_table_of_iptables("inet", "filter"));
  EXPECT_FALSE(is_table_of_iptables("netdev", "filter"));
  EXPECT_FALSE(is_table_of_iptables("bridge", "raw"));
}

}  // namespace
}  // namespace plumbline::firewall
