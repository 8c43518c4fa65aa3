#include "plumbline/base/ip.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace plumbline {
namespace {

TEST(IpAddress, TakesWhatInetPtonTakes) {
  for (const char* text : {"0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "::1", "fd00::1:2",
                           "2001:db8::ffff:192.0.2.1"}) {
    ASSERT_TRUE(IpAddress::parse(text)) << text;
  }
  EXPECT_EQ(format(*IpAddress::parse("FD00:0:0::1")), "fd00::1");
}

TEST(IpAddress, RefusesEveryOtherWayToWriteOne) {
  for (const char* text : {"", "10.1", "16909060", "010.0.0.1", "10.0.0.01", "0x0a.0.0.1",
                           "10.0.0.256", "10.0.0.1.2", " 10.0.0.1", "10.0.0.1 ", "10.0.0.1/8",
                           "1:::2", "fe80::1%eth0", "localhost", "::g", "1:2:3:4:5:6:7:8:9"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("10.0.0.1\0", 9)));
}

TEST(Prefix, RefusesHostBits) {
  EXPECT_TRUE(Prefix::parse("10.0.0.0/8"));
  EXPECT_FALSE(Prefix::parse("10.0.0.1/8"));
  EXPECT_FALSE(Prefix::parse("fd00::1/64"));
  EXPECT_EQ(Prefix::parse("10.0.0.1")->length(), 32);
}

TEST(Prefix, RefusesLengthsThatAreNoPlainDecimalNumbers) {
  for (const char* text :
       {"10.0.0.0/", "10.0.0.0/08", "10.0.0.0/0x8", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/33",
        "fd00::/129", "10.0.0.0/ 8", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "10.0.0.0/1e1"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

TEST(InterfaceAddress, KeepsHostBitsAndWantsALength) {
  const auto address = InterfaceAddress::parse("10.1.2.3/24");
  ASSERT_TRUE(address);
  EXPECT_EQ(format(*address), "10.1.2.3/24");
  EXPECT_EQ(format(address->network()), "10.1.2.0/24");
  EXPECT_FALSE(InterfaceAddress::parse("10.1.2.3"));
}

IpAddress arbitrary_address() {
  const auto size = *rc::gen::element<std::size_t>(4, 16);
  const auto bytes =
      *rc::gen::container<std::vector<std::uint8_t>>(size, rc::gen::arbitrary<std::uint8_t>());
  return *IpAddress::from_bytes(std::as_bytes(std::span(bytes)));
}

TEST(IpAddress, ParsesWhatItFormats) {
  EXPECT_TRUE(rc::check([] {
    const IpAddress address = arbitrary_address();
    RC_ASSERT(IpAddress::parse(format(address)) == address);
  }));
}

TEST(Prefix, ParsesWhatItFormatsAndHoldsItsOwnAddresses) {
  EXPECT_TRUE(rc::check([] {
    const IpAddress address = arbitrary_address();
    const auto length =
        *rc::gen::inRange<std::uint8_t>(0, std::uint8_t(address_bits(address.family()) + 1));
    const Prefix prefix = Prefix::masking(address, length);
    RC_ASSERT(Prefix::parse(format(prefix)) == prefix);
    RC_ASSERT(prefix.contains(address));
    RC_ASSERT(prefix.contains(prefix.address()));
  }));
}

}  // namespace
}  // namespace plumbline
