#include "plumbline/base/curve_key.hpp"

#include <gmock/gmock.h>

#include "plumbline/base/endpoint.hpp"

namespace plumbline {
namespace {

// Alice's of RFC 7748, section 6.1.
constexpr const char* alice = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
constexpr const char* alice_public = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";

TEST(CurveKey, TextIsTheOnlyOneOfItsBytes) {
  for (const char* text : {alice, alice_public, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}) {
    ASSERT_TRUE(PublicKey::parse(text)) << text;
    EXPECT_EQ(format(*PublicKey::parse(text)), text);
  }
  const std::string good = alice;
  const std::vector<std::string> bad{"",
                                     "a",
                                     good.substr(0, 43),
                                     good + "=",
                                     " " + good,
                                     good.substr(0, 42) + "p=",  // bits beyond the 32 bytes
                                     good.substr(0, 42) + "==",
                                     good.substr(0, 43) + "A",
                                     "-" + good.substr(1),
                                     good.substr(0, 20) + "\n" + good.substr(21)};
  for (const std::string& text : bad) EXPECT_FALSE(PublicKey::parse(text)) << text;
}

TEST(CurveKey, ThePublicKeyFollowsFromThePrivateOne) {
  const auto key = SecretKey::parse(alice);
  ASSERT_TRUE(key);
  EXPECT_EQ(format(public_key_of(*key)), alice_public);
  EXPECT_EQ(public_key_of(key->clamped()), public_key_of(*key));
  EXPECT_NE(key->clamped(), *key);
  EXPECT_EQ(key->clamped().clamped(), key->clamped());
}

TEST(CurveKey, ASecretIsShownByItsFingerprint) {
  const auto key = SecretKey::parse(alice);
  ASSERT_TRUE(key);
  EXPECT_THAT(format(*key), ::testing::MatchesRegex("\\(secret [0-9a-f]{8}\\)"));
  EXPECT_NE(format(*key), format(key->clamped()));
  EXPECT_TRUE(SecretKey().is_zero());
  EXPECT_FALSE(key->is_zero());
}

TEST(Endpoint, IsAnAddressAndAPort) {
  for (const char* text : {"192.0.2.1:51820", "[2001:db8::1]:1", "[::]:65535"}) {
    ASSERT_TRUE(Endpoint::parse(text)) << text;
    EXPECT_EQ(format(*Endpoint::parse(text)), text);
  }
  for (const char* text :
       {"", ":", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:0x10",
        "192.0.2.1:010", "[192.0.2.1]:1", "2001:db8::1:51820", "[2001:db8::1]", "[fe80::1%eth0]:1",
        "vpn.example.org:51820", "[::1:1", "192.0.2.01:1"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

}  // namespace
}  // namespace plumbline
