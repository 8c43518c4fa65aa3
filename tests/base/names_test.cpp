#include <gtest/gtest.h>
#include <sys/socket.h>

#include "plumbline/base/family.hpp"
#include "plumbline/base/if_name.hpp"
#include "plumbline/base/link_names.hpp"
#include "plumbline/base/mac.hpp"
#include "plumbline/base/number.hpp"
#include "plumbline/base/table.hpp"

namespace plumbline {
namespace {

IfName name(const char* text) { return IfName::parse(text).value(); }

TEST(Family, IsReadBackAsItIsPrinted) {
  for (const Family family : {Family::inet, Family::inet6, Family::bridge}) {
    EXPECT_EQ(parse_family(format(family)), family) << format(family);
  }
  EXPECT_FALSE(parse_family("ipv4"));
  EXPECT_EQ(address_family(Family::inet6), AF_INET6);
  EXPECT_EQ(address_family(Family::bridge), AF_BRIDGE);
}

TEST(IfName, TakesWhatTheKernelTakes) {
  for (const char* text :
       {"a", "eth0", "br-lan", "wlan0.7", "123456789012345", "tap+", "\xc3\xa9"}) {
    EXPECT_TRUE(IfName::parse(text)) << text;
  }
  for (const char* text : {"", ".", "..", "1234567890123456", "a b", "a/b", "a:1", "a\tb", "a\n"}) {
    EXPECT_FALSE(IfName::parse(text)) << text;
  }
}

TEST(IfName, OrdersAsItsText) {
  EXPECT_LT(name("eth0"), name("eth1"));
  EXPECT_LT(name("eth"), name("eth0"));
  EXPECT_EQ(name("eth0"), name("eth0"));
}

TEST(IfName, OfASpecHasNoSpecialMeaningAnywhere) {
  EXPECT_TRUE(may_be_configured(name("eth0")));
  for (const char* text : {"all", "default", "eth%d", "\xc3\xa9", "\x1b[2J"}) {
    EXPECT_FALSE(may_be_configured(name(text))) << text;
  }
}

TEST(LinkNames, ForgetsTheOldNameOfARenamedLinkAndTheOldIndexOfARemadeOne) {
  LinkNames names;
  names.add(3, name("eth0"));
  names.add(3, name("wan"));
  EXPECT_EQ(names.index(name("eth0")), 0U);
  EXPECT_EQ(names.index(name("wan")), 3U);
  names.add(9, name("wan"));
  EXPECT_EQ(names.index(name("wan")), 9U);
  EXPECT_EQ(names.name(3), std::nullopt);
  names.remove(name("wan"));
  EXPECT_EQ(names.index(name("wan")), 0U);
}

TEST(Mac, ReadsEitherCaseAndPrintsLower) {
  EXPECT_EQ(format(*Mac::parse("02:00:AB:cd:00:Ff")), "02:00:ab:cd:00:ff");
  for (const char* text : {"", "02:00:00:00:00", "02-00-00-00-00-00", "02:00:00:00:00:0g",
                           "02:00:00:00:00:00:00", "+2:00:00:00:00:00", "0x:00:00:00:00:00"}) {
    EXPECT_FALSE(Mac::parse(text)) << text;
  }
  EXPECT_TRUE(Mac::parse("01:00:00:00:00:00")->is_multicast());
}

TEST(TableNames, ReadsWhatRtTablesSays) {
  TableNames names;
  names.add(
      "#\n# reserved values\n255\tlocal\n\n100 isp1 # comment\n0x65\tisp2\nnonsense\n7\n0 zero\n");
  EXPECT_EQ(names.find("isp1"), TableId{100});
  EXPECT_EQ(names.find("isp2"), TableId{101});
  EXPECT_EQ(names.find("main"), main_table);
  EXPECT_EQ(names.find("zero"), std::nullopt);
  EXPECT_EQ(names.find("nonsense"), std::nullopt);
  EXPECT_EQ(format(TableId{100}), "100");
  EXPECT_EQ(format(local_table), "local");
}

TEST(ParseNumber, TakesAllOfItOrNothing) {
  EXPECT_EQ(parse_number<unsigned>("0"), 0U);
  EXPECT_EQ(parse_number<unsigned>("51820"), 51820U);
  EXPECT_EQ(parse_number<unsigned>("0xCa6c"), 0xca6cU);
  for (const char* text : {"", "0x", "07", "+1", "-1", "0x-1", " 1", "1 ", "1.0", "4294967296"}) {
    EXPECT_FALSE(parse_number<unsigned>(text)) << text;
  }
}

}  // namespace
}  // namespace plumbline
