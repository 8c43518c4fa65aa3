#include "plumbline/io/held_tables.hpp"

#include <gtest/gtest.h>
#include <linux/netlink.h>

#include <algorithm>

#include "plumbline/firewall/bytes/iptables_tables.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::io {
namespace {

class HeldTablesTest : public test::NetnsTest {
 protected:
  static void need(const char* program) {
    if (test::run({program, "-S"}).status != 0) GTEST_SKIP() << program << " does not work here";
  }
};

const HeldTable* named(const std::vector<HeldTable>& tables, const std::string& family,
                       const std::string& name) {
  const auto found = std::ranges::find_if(
      tables, [&](const HeldTable& table) { return table.family == family && table.name == name; });
  return found == tables.end() ? nullptr : &*found;
}

/// Three rules, one of them long; two chains, one of them empty; one policy.
constexpr const char* content =
    "*filter\n:FORWARD DROP\n:MINE -\n:IDLE -\n-A MINE -j RETURN\n"
    "-A FORWARD -p tcp -m multiport --dports 1,2,3 -m comment --comment \"x y\" -j MINE\n"
    "-A FORWARD -j MINE\nCOMMIT\n*mangle\nCOMMIT\n";

TEST_F(HeldTablesTest, CountsWhatIsInLegacyTables) {
  need("iptables-legacy");
  need("ip6tables-legacy");
  // A look of the programs makes the table `filter`, empty.
  const auto before = legacy_tables(Family::inet);
  for (const HeldTable& table : before) EXPECT_TRUE(table.empty()) << table.name;
  for (const auto& [family, restore] : {std::pair{Family::inet, "iptables-legacy-restore"},
                                        std::pair{Family::inet6, "ip6tables-legacy-restore"}}) {
    test::must_run({restore}, content);
    const auto tables = legacy_tables(family);
    const HeldTable* filter = named(tables, std::string(firewall::nft_word(family)), "filter");
    ASSERT_NE(filter, nullptr);
    EXPECT_EQ(filter->rules, 3U);
    EXPECT_EQ(filter->chains, 2U);
    EXPECT_EQ(filter->policies, 1U);
    EXPECT_EQ(filter->hooks, 3U);
    const HeldTable* mangle = named(tables, std::string(firewall::nft_word(family)), "mangle");
    ASSERT_NE(mangle, nullptr);
    EXPECT_TRUE(mangle->empty());
    EXPECT_EQ(mangle->hooks, 5U);
    EXPECT_EQ(tell(tables), "filter (3 rules, 2 chains, 1 policy)");
  }
  EXPECT_TRUE(legacy_tables(Family::bridge).empty());
}

TEST_F(HeldTablesTest, CountsWhatIsInNfTablesAndSeesThatItMoved) {
  need("iptables-nft");
  NetlinkSocket nfnetlink(NETLINK_NETFILTER);
  EXPECT_TRUE(nft_tables(nfnetlink).empty());
  const auto generation = nft_generation(nfnetlink);
  test::must_run({"iptables-nft-restore"}, content);
  EXPECT_NE(nft_generation(nfnetlink), generation);
  const auto tables = nft_tables(nfnetlink);
  const HeldTable* filter = named(tables, "ip", "filter");
  ASSERT_NE(filter, nullptr);
  EXPECT_TRUE(firewall::is_table_of_iptables(filter->family, filter->name));
  EXPECT_EQ(filter->rules, 3U);
  EXPECT_EQ(filter->chains, 2U);
  EXPECT_EQ(filter->policies, 1U);
  EXPECT_EQ(filter->hooks, 1U);
  EXPECT_TRUE(filter->unknown.empty());
}

TEST_F(HeldTablesTest, KnowsThatEbtablesHasSetsOfItsOwn) {
  if (test::run(
          {"ebtables-nft", "-A", "FORWARD", "--among-src", "02:00:00:00:00:01,", "-j", "DROP"})
          .status != 0) {
    GTEST_SKIP() << "ebtables-nft does not work here";
  }
  NetlinkSocket nfnetlink(NETLINK_NETFILTER);
  const auto tables = nft_tables(nfnetlink);
  const HeldTable* filter = named(tables, "bridge", "filter");
  ASSERT_NE(filter, nullptr);
  EXPECT_TRUE(firewall::is_table_of_iptables(filter->family, filter->name));
  EXPECT_EQ(filter->rules, 1U);
  EXPECT_TRUE(filter->unknown.empty());
}

TEST_F(HeldTablesTest, NamesWhatIptablesDoesNotShow) {
  need("iptables-nft");
  if (test::run({"nft", "--version"}).status != 0) GTEST_SKIP() << "nft is not installed";
  test::must_run({"iptables-nft", "-N", "MINE"});
  test::must_run({"nft", "-f", "-"},
                 "add rule ip filter MINE ct state new accept\n"
                 "add rule ip filter MINE ip saddr { 10.0.0.1, 10.0.0.2 } drop\n"
                 "add rule ip filter MINE tcp dport 22 counter accept\n"
                 "add table inet firewalld\n"
                 "add chain inet firewalld input { type filter hook input priority 10; }\n"
                 "add rule inet firewalld input ct state new accept\n");
  NetlinkSocket nfnetlink(NETLINK_NETFILTER);
  const auto tables = nft_tables(nfnetlink);
  const HeldTable* filter = named(tables, "ip", "filter");
  ASSERT_NE(filter, nullptr);
  ASSERT_EQ(filter->unknown.size(), 2U);
  EXPECT_TRUE(filter->unknown[0].starts_with("ct in chain MINE, handle "));
  EXPECT_TRUE(filter->unknown[1].starts_with("lookup in chain MINE, handle "));
  const HeldTable* foreign = named(tables, "inet", "firewalld");
  ASSERT_NE(foreign, nullptr);
  EXPECT_FALSE(firewall::is_table_of_iptables(foreign->family, foreign->name));
  EXPECT_EQ(foreign->hooks, 1U);
  EXPECT_EQ(foreign->rules, 1U);
  EXPECT_TRUE(foreign->unknown.empty());
}

}  // namespace
}  // namespace plumbline::io
